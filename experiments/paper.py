"""Figures of the source paper that ours stand beside."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """One column of Table 5, in what the paper calls MB and is 1024 x 1024 bytes."""

    input_json: float
    input_protobuf: float
    output_json: float
    output_protobuf: float


MOBILENET, INCEPTION, YOLO, BERT = "MobileNetV1", "InceptionV3", "YOLOv5", "BERT"
TABLE_5 = {
    MOBILENET: Sizes(3.014, 0.574, 0.026, 0.004),
    INCEPTION: Sizes(5.524, 1.023, 0.026, 0.004),
    YOLO: Sizes(24.547, 4.688, 63.593, 8.171),
    BERT: Sizes(0.004, 0.006, 0.0001, 0.0001),
}
SAVED_BYTES_PERCENT = {YOLO: 85.4, BERT: -48.7}
"""What protobuf saves of JSON's traffic; the paper names these two."""
SAVED_TIME_PERCENT = {YOLO: 75.0, BERT: 0.0}
"""What protobuf saves of JSON's time from end to end (figure 7); the paper names these two."""

KUBEADM, K3S = "kubeadm", "k3s"
"""What the paper calls general and lightweight Kubernetes."""
TABLE_3 = {
    KUBEADM: {
        "environment": 252,
        "initialise": 323,
        "join": 16,
        "endpoint": 28,
        "framework": 22,
        "monitoring": 66,
        "in all": 707,
    },
    K3S: {
        "environment": 116,
        "initialise": 42,
        "join": 27,
        "endpoint": 68,
        "framework": 5,
        "monitoring": 41,
        "in all": 299,
    },
}
"""Seconds per automated step, one after the other, on Raspberry Pis 4B (Kubernetes and k3s 1.27.3)."""


@dataclass(frozen=True)
class IdleUse:
    """Two cells of Table 4: what the processes of a distribution use on one node."""

    cpu_percent: float
    """The paper does not say whether of one core or of the node's four."""
    memory_mb: float


SERVER, AGENT = "server", "agent"
TABLE_4 = {
    KUBEADM: {SERVER: IdleUse(6.8, 1054.6), AGENT: IdleUse(1.6, 106.8)},
    K3S: {SERVER: IdleUse(2.2, 777.3), AGENT: IdleUse(0.9, 155.6)},
}
COUNTED_IN_TABLE_4 = {
    KUBEADM: {
        SERVER: ("kube-apiserver", "kube-scheduler", "etcd", "kube-controller-manager", "kube-proxy", "kubelet"),
        AGENT: ("kubelet", "kube-proxy"),
    },
    K3S: {SERVER: ("k3s",), AGENT: ("k3s",)},
}
"""The processes that the paper's text says it looked at: no pods of add-ons, no container runtime, no system."""


def deviation_percent(measured_bytes: int, printed: float) -> float:
    """Return how far bytes are from a figure of Table 5, in per cent; 0 where they print the same.

    The paper prints few digits: 0.004 may be anything from 0.0035 to 0.0045.
    """
    measured = measured_bytes / MEBIBYTE
    decimals = 4 if printed < 0.001 else 3
    if round(measured, decimals) == printed:
        return 0.0
    return (measured - printed) / printed * 100
