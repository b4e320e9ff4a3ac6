/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report as metrics: a file for node_exporter's textfile collector, in Prometheus' text format ("Exposition formats",
 * prometheus.io/docs/instrumenting/exposition_formats). Names and labels are a contract as those of status.json are; each is
 * described by its HELP line and in ece-enrolld(8).
 */

#include "base/buffer.h"
#include "model/report.h"

#define METRICS_SIZE_MAX (64U * 1024U)

/* Appends all of them. 0, -ENOMEM, -EMSGSIZE. */
int metrics_write(const Report *report, usec_t now_realtime_us, Buffer *ret);

/* Replaces the file (absolute path) by what metrics_write() gives, world-readable. The collector takes *.prom and so never
 * sees half of one. 0 or negative errno: the old file stays. */
int metrics_file_publish(const char *path, const Report *report, usec_t now_realtime_us);
