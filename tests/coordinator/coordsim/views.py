# SPDX-License-Identifier: Apache-2.0
"""Shapes of the replies: what the platform knows, as the API shows it (OpenAPI document of ECE 3.8)."""

import datetime
import hashlib

from .state import AUTOMATIC

# <container set>, <container> that a role brings to its host; "" is what every host has.
CONTAINERS = {
    "": (("runners", "runner"), ("beats-runners", "beats-runner"),
         ("client-forwarders", "client-forwarder"), ("services-forwarders", "services-forwarder")),
    "allocator": (("allocators", "allocator"), ("allocator-metricbeats", "allocator-metricbeat"),
                  ("container-task-services", "container-task-service")),
    "coordinator": (("admin-consoles", "admin-console"), ("blueprints", "blueprint"),
                    ("cloud-uis", "cloud-ui"), ("constructors", "constructor")),
    "director": (("directors", "director"), ("zookeeper-servers", "zookeeper")),
    "proxy": (("proxies", "proxyv2"), ("proxies", "route-server")),
}

COMMIT = "9c1f0f2b3a4d5e6f708192a3b4c5d6e7f8091a2b"
IMAGE = "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:"


def moment(seconds) -> str:
    stamp = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def containers_of(platform, runner):
    """(set, container) pairs: the host's own, and those of the roles that have taken effect."""
    pairs = list(CONTAINERS[""])
    for name in runner.roles:
        if platform.has_effect(runner, name):
            pairs += CONTAINERS[name]
    return pairs


def runner(platform, r) -> dict:
    return {
        "runner_id": r.runner_id, "runner_name": r.runner_id, "zone": r.zone,
        "host_ip": r.host_ip, "public_hostname": r.public_hostname,
        "connected": r.connected, "healthy": r.connected and r.healthy,
        "health_checks": {"is_docker_healthy": r.healthy, "is_connected_to_zk": r.connected,
                          "has_containers": True},
        "roles": [{"role_name": name} for name in list(AUTOMATIC) + r.roles],
        "containers": [{"container_set_name": s, "container_name": c}
                       for s, c in containers_of(platform, r)],
        "build_info": {"commit_hash": COMMIT, "version": r.version},
        "tags": {}, "features": {},
    }


def _meta(role, created_s) -> dict:
    return {"version": str(role.version), "created_time": moment(created_s),
            "modified_time": moment(role.modified_s)}


def _role_containers(platform, role):
    """With the secrets that the schema allows here: who logs such a body gives the platform away."""
    return [{
        "name": container, "container_set_name": container_set, "kind": "docker",
        "options": {"enabled": True,
                    "auths": [{"scheme": "digest", "auth": "%s:%s" % (role.name, platform.secret_in_roles)}],
                    "acls": [{"scheme": "digest", "id": role.name, "perms": 31}],
                    "runners_secret": platform.secret_in_roles,
                    "container_set_secret": platform.secret_in_roles},
    } for container_set, container in CONTAINERS.get(role.name, ())]


def role(platform, r) -> dict:
    meta = _meta(r, platform.started_s)
    return {
        "id": r.name,
        "role": {"meta": meta, "value": {"id": r.name, "auto_blessed": r.auto_blessed,
                                         "containers": _role_containers(platform, r)}},
        "blessings": {"meta": meta, "value": {"runner_ids_to_blessing": {
            runner_id: {"value": value} for runner_id, value in r.blessings.items()}}},
        "pending": {"meta": meta, "value": {"runner_ids_to_pending_state": {
            runner_id: {"value": r.pending.get(runner_id, False)} for runner_id in r.blessings}}},
    }


def allocator(platform, r) -> dict:
    """`healthy` is true for one without instances, connected or not: as documented, and a trap."""
    connected = platform.has_effect(r, "allocator") and r.connected
    return {
        "allocator_id": r.runner_id, "zone_id": r.zone, "host_ip": r.host_ip,
        "public_hostname": r.public_hostname,
        "status": {"connected": connected, "healthy": connected or r.instances == 0,
                   "maintenance_mode": r.maintenance,
                   "health_checks": {"is_docker_healthy": r.healthy, "is_connected_to_zk": connected,
                                     "has_instances": r.instances > 0}},
        "capacity": {"memory": {"total": 65536, "used": 1024 * r.instances},
                     "storage": {"total": 1048576}},
        "settings": {}, "metadata": [], "features": [], "external_links": [],
        "instances": [dict(instance(n), moving=n < r.moving) for n in range(r.instances)],
        "build_info": {"commit_hash": COMMIT, "version": r.version},
    }


def instance(n) -> dict:
    return {"cluster_type": "elasticsearch", "cluster_id": hashlib.md5(b"%d" % n).hexdigest(),
            "instance_name": "instance-%010d" % n, "node_memory": 1024, "healthy": True}


def allocators(platform, known) -> dict:
    zones = {}
    for r in known:
        zones.setdefault(r.zone, []).append(allocator(platform, r))
    return {"zones": [{"zone_id": zone, "allocators": found} for zone, found in sorted(zones.items())]}


def proxy_id(r) -> str:
    return hashlib.sha256(r.runner_id.encode("utf-8")).hexdigest()[:12]


def proxy(r) -> dict:
    return {"proxy_id": proxy_id(r), "runner_id": r.runner_id, "host_ip": r.host_ip,
            "public_hostname": r.public_hostname, "healthy": r.connected and r.healthy,
            "zone": r.zone, "metadata": {}, "allocations": []}


def proxies(platform, known) -> dict:
    return {
        "proxies_count": len(known),
        "settings": {
            "expected_proxies_count": len(known), "signature_secret": platform.secret_in_roles,
            "signature_valid_for_millis": 60000,
            "http_settings": {
                "disconnected_cutoff": 10000, "minimum_proxy_services": 1,
                "dashboards_base_url": "", "cookie_secret": platform.secret_in_roles,
                "user_cookie_key": "user",
                "sso_settings": {"max_age": 3600, "sso_secret": platform.secret_in_roles,
                                 "cookie_name": "sso", "default_redirect_path": "/",
                                 "dont_log_requests": True, "maintenance_bypass_cookie_name": "bypass"},
            },
        },
        "proxies": [proxy(r) for r in known],
    }


def coordinators(known) -> dict:
    return {"coordinators": [{"name": r.runner_id, "public_hostname": r.public_hostname,
                              "leader_port": 2888, "election_port": 3888, "client_port": 2191,
                              "attributes": {}} for r in known]}


def candidates(known) -> dict:
    return {"candidates": [{"name": r.runner_id, "public_hostname": r.public_hostname, "id": n + 10,
                            "acl": {"scheme": "digest", "id": r.runner_id, "perms": 31},
                            "attributes": {}, "state": "accepted"} for n, r in enumerate(known)]}


def _zone_summary(zone, found, platform) -> dict:
    views = [allocator(platform, r)["status"] for r in found]
    return {"zone_id": zone, "total_allocators": len(views),
            "healthy_allocators": sum(v["healthy"] for v in views),
            "connected_allocators": sum(v["connected"] for v in views),
            "disconnected_allocators": sum(not v["connected"] for v in views),
            "in_maintenance_allocators": sum(v["maintenance_mode"] for v in views),
            "connected_capacity": 65536, "max_available_capacity": 65536,
            "instances": sum(r.instances for r in found)}


def _zone_summaries(platform, known):
    zones = {}
    for r in known:
        if platform.blessed(r, "allocator") and "allocator" in r.roles:
            zones.setdefault(r.zone, []).append(r)
    return [_zone_summary(zone, found, platform) for zone, found in sorted(zones.items())]


def platform_info(platform) -> dict:
    tag = IMAGE + platform.version
    return {
        "version": platform.version,
        "services": [{"type": "runner", "image": [{"id": tag, "tag": tag, "version": platform.version,
                                                   "hash": "sha256:" + hashlib.sha256(tag.encode()).hexdigest()}]}],
        "phone_home_enabled": False, "eula_accepted": True,
        "regions": [_region(platform)], "unreachable_regions": [],
    }


def _region(platform) -> dict:
    known = list(platform.runners.values())
    connected = [r for r in known if r.connected]
    fronts = [r for r in known if platform.has_effect(r, "proxy")]
    return {
        "region_id": "ece-region",
        "zookeeper_states": {"states": [{"id": "zk-10", "state": "connected"}]},
        "allocators": {"healthy": True, "zone_summaries": _zone_summaries(platform, known)},
        "runners": {"healthy": len(connected) == len(known), "total_runners": len(known),
                    "healthy_runners": sum(r.healthy for r in connected),
                    "connected_runners": len(connected), "connected_capacity": 65536,
                    "max_available_capacity": 65536,
                    "containers_count": sum(len(containers_of(platform, r)) for r in known)},
        "proxies": {"healthy": True, "expected_proxies_count": len(fronts), "proxies_count": len(fronts),
                    "proxies": [{"proxy_id": proxy_id(r), "healthy": True} for r in fronts]},
        "container_sets_status": {"healthy": True, "healthy_container_sets_count": 14,
                                  "unhealthy_container_sets_count": 0, "unhealthy_container_sets": []},
        "constructors": {"constructors": [{"constructor_id": "ece-0-runner", "status": {
            "connected": True, "maintenance_mode": False}}]},
        "coordinators": coordinators([r for r in known if platform.has_effect(r, "director")]),
        "resources": {"healthy": True, "available_count": 10, "used_count": 0, "missing_count": 0,
                      "minimum_available_count": 1, "account_count": 1},
    }


def user(u, permissions) -> dict:
    return {"user_name": u.name, "builtin": u.builtin,
            "security": {"roles": [u.role], "permissions": permissions, "enabled": True,
                         "security_realm": {"id": "native", "type": "native"}}}


def api_key(key, with_secret=False) -> dict:
    view = {"id": key.id, "user_id": key.owner.name, "description": key.description,
            "creation_date": moment(key.created_s), "expiration_date": moment(key.expires_s)}
    if with_secret:
        view["key"] = key.secret
    return view
