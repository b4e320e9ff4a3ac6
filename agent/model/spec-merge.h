/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Drop-ins over the main file: a mapping merges with a mapping, all else replaces. */

#include "model/yaml-tree.h"

/* Relinks over's nodes into base. Both trees must live as long as the result is used; every node
 * keeps its own place, so errors name the file that said it. Both are mappings. */
void spec_merge(YamlNode *base, YamlNode *over);
