"""Machines that Ray's own autoscaler starts and ends, for tests: real nodes of Ray on this machine.

Ray's monitor imports this module, as the provider that a cluster's configuration names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import ray._private.parameter
from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider

_LOOPBACK: Mapping[str, Any] = {"node_ip_address": "127.0.0.1", "include_log_monitor": False}

_NOTHING = (
    *("cluster_synced_files", "rsync_exclude", "rsync_filter", "initialization_commands"),
    *("setup_commands", "head_setup_commands", "worker_setup_commands"),
    *("head_start_ray_commands", "worker_start_ray_commands"),
)


class LoopbackMachines(FakeMultiNodeProvider):
    """Machines that listen on loopback only, where Ray's own provider takes the machine's address."""

    def __init__(self, provider_config: dict[str, Any], cluster_name: str) -> None:
        parameters: Any = ray._private.parameter
        if not isinstance(parameters.RayParams, partial):
            parameters.RayParams = partial(parameters.RayParams, **_LOOPBACK)
        super().__init__(provider_config, cluster_name)


def autoscaling(address: str, *, machines: int, idle_s: float) -> dict[str, Any]:
    """Configures a cluster at an address whose head has no processors.

    machines: that there may be, with a processor each.  idle_s: one is ended after so long.
    """
    small = {"CPU": 1, "object_store_memory": 80 << 20}
    provider = {
        "type": "external",
        "module": f"{__name__}.{LoopbackMachines.__name__}",
        "gcs_address": address,
        # They share an address, and nothing is to be installed on them.
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
    }
    types = {
        "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
        "small": {"resources": small, "node_config": {}, "min_workers": 0, "max_workers": machines},
    }
    return {
        "cluster_name": "grows",
        "provider": provider,
        "available_node_types": types,
        "head_node_type": "ray.head.default",
        "max_workers": machines,
        "idle_timeout_minutes": idle_s / 60,
        "upscaling_speed": 10,
        # Nothing is copied to them, and nothing is run there but the node.
        **{name: {} for name in ("auth", "docker", "file_mounts")},
        **{name: [] for name in _NOTHING},
    }


ENVIRONMENT: Mapping[str, str] = {
    "RAY_FAKE_CLUSTER": "1",
    "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    # Any port; others on this machine may have their own clusters.
    "AUTOSCALER_METRIC_PORT": "0",
    "PYTHONPATH": str(Path(__file__).parents[1]),
}
"""Variables of the daemons of such a cluster."""
