"""The public networks of the part `networks`: their files, facemon's description of each and its plain reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import public_finders as finders
from benchmarks import public_references as plain
from benchmarks.public_references import Reference

Section = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PublicNetwork:
    """A repository's files, its preprocessing, and how facemon describes it.

    Values of the configuration that name one of `files` get its path.
    """

    repository: str
    files: Mapping[str, str]
    """Name below .tools/networks to sha256; first those that `networks` describes, in its order."""
    steps: str
    """The repository's preprocessing, in words."""
    reference: Reference
    networks: Sequence[Section] = ()
    """A network's section without path and attributes; none = the finder is compared."""
    reads: tuple[str, int] = ("output", 1)
    """The output that is compared, and how many numbers of it."""
    faces: Section = field(default_factory=lambda: {"finder": "manifest"})
    takes_float16: bool = False
    """Whether an input of float16 is put before the network."""


_FASNET = {"antispoof.onnx": "f46ebcd5fe6a662e4e814c05b421ee6eecbd6a5740b5a5f989076197fab22bc9"}
_FSA_1X1 = {"fsanet-1x1-iter-688590.onnx": "d85e90cb4b9d3a87e81bbfdcfcd130cbe0e175407042e439a570aa396c44eda6"}
_FSA_VAR = {"fsanet-var-iter-688590.onnx": "2877b1db98e3dc66468e90df8db4a21059facd1c3f107af91c6d4fe6476a03e1"}
_ANTISPOOF = {"best_model.onnx": "af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6"}
_ANTISPOOF_INT8 = {"best_model_quantized.onnx": "fde20585635cae62ed1d41796f76b6f8bc4b92cd91ec1cf0f1bc6485d2d587a9"}
_MASK = {"mask_detector.onnx": "8ac1247b235b95de4d8eda17bce24250fef47d0fa460ca2682e68922edecad6e"}
_GENDER = {"gender_predictor.onnx": "4f4c4114e3c87642f989e51785f9a8bea7e828c588ec0103cb1361dc86035251"}
_EYES = {"eye_state.onnx": "10e0fb5cad3ede88712a392cbb76988b7afb98f1b3234bf3233076d4029b7331"}
_POSE = {"pose_estimation.onnx": "f1b97647906f596268a2a7a99b1a4faa302dadcf225e96189599d346af3853e0"}
_LANDMARKS = {"face_landmarker_pts5_net1.onnx": "cfc73217d8771d2c2ee6ef4ba439172078c81dc0502d422a04cff7ec8df32a2a"}
_GRAY_EMOTION = {"gray_emotion_model.onnx": "47482624c5c1c719d5cbc3ff0cbfd161efec6861391f80d08aacb0f14183e5f9"}
_COLOUR_EMOTION = {"colour_emotion_model.onnx": "ab7842d3c7279c35bad64be4bf5cd920bffd493e767236b78d93a6d22e5e968d"}
_PHOTO_ANALYZE = {
    "photo_analyze_mobilefacenet.onnx": "f055d9c9a4d826d198c42666590fdefa0fdc1374a75ccb6306c3d1b1bf8f74c5"
}
_PIXAMATCH = {"pixamatch_mobilefacenet.onnx": "e72a5710cce378dc46472b6b845cb90647634f2738d8c3e581735cf195b9866f"}
_YUNET = {"detector.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"}
_RFB = {"version-RFB-320.onnx": "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017"}
_RFB_PRIORS = {
    "version-RFB-320_without_postprocessing.onnx": "d7c687949526065ab6a192fdf993360045ce27b0fabf7c9fca5c2437b786b495"
}
_RETINA = {"FaceDetector.onnx": "f8cce06cdfa5d2a07a8378c8cff4c4f33f0b00a3f24d9ef53042ff591a881eb7"}
_SCRFD = {"scrfd_2.5g_bnkps.onnx": "bc24bb349491481c3ca793cf89306723162c280cb284c5a5e49df3760bf5c2ce"}

_OPENCV = {"resample": "opencv_bilinear", "scale": 1}
_AS_READ = _OPENCV | {"channels": "bgr"}
_FSA = {
    "crop": {"shape": "rectangle", "margin": 0, "outside": "clamp", "edges": "inclusive"},
    "input": {"name": "input", "size": [64, 64], "mean": [127.5] * 3, "std": [128] * 3} | _AS_READ,
}
_SQUARE_1_5 = {
    "crop": {"shape": "square", "scale": 1.5, "outside": "reflect", "edges": "sized"},
    "input": {"name": "input", "size": [128, 128], "resample": "opencv_area", "enlarge": "opencv_lanczos4"},
}
_BOX = {"shape": "rectangle", "margin": 0, "outside": "clamp"}
_ULTRA_INPUT = {"name": "input", "size": [320, 240], "mean": [127] * 3, "std": [128] * 3} | _OPENCV
_BY_YUNET = {"finder": "yunet", "weights": next(iter(_YUNET)), "min_confidence": 0.8}


def _seeta(
    file: Mapping[str, str], side: int, name: str, reads: tuple[str, int], layout: str = "nchw"
) -> PublicNetwork:
    shape = plain.nchw if layout == "nchw" else plain.nhwc
    return PublicNetwork(
        "zjd1988/seetaface6_onnx_model",
        file,
        f"whole image, cv2.resize {side} x {side}, BGR, 0 to 255, {layout.upper()}",
        plain.whole(side, shape, reads[0]),
        [{"input": {"name": name, "size": [side, side], "layout": layout} | _AS_READ}],
        reads,
        {"finder": "none"},
    )


def _finder(weights: Mapping[str, str], detector: Section, **options: Any) -> Section:
    return {"finder": "onnx", "weights": next(iter(weights)), "detector": detector} | options


NETWORKS = (
    PublicNetwork(
        "everglow01/Windows-Face-Hello (MiniFASNetV2)",
        _FASNET,
        "box times 2.7 moved into the image, last pixel included, cv2.resize 80 x 80, BGR, 0 to 255",
        plain.silent_face,
        [
            {
                "crop": {"shape": "rectangle", "scale": 2.7, "outside": "shift", "edges": "inclusive"},
                "input": {"name": "input", "size": [80, 80]} | _AS_READ,
            }
        ],
        ("output", 3),
    ),
    PublicNetwork(
        "omasaht/headpose-fsanet-pytorch",
        _FSA_1X1,
        "box, last pixel included, cv2.resize 64 x 64, BGR, (x - 127.5) / 128",
        plain.fsa_net,
        [_FSA],
        ("output", 3),
    ),
    PublicNetwork("omasaht/headpose-fsanet-pytorch", _FSA_VAR, "the same", plain.fsa_net, [_FSA], ("output", 3)),
    PublicNetwork(
        "omasaht/headpose-fsanet-pytorch",
        _FSA_1X1 | _FSA_VAR,
        "the same, mean of both networks",
        plain.fsa_net,
        [_FSA, _FSA],
        ("output", 3),
    ),
    PublicNetwork(
        "johnraivenolazo/face-antispoof-onnx",
        _ANTISPOOF,
        "square of box times 1.5, mirrored outside, INTER_AREA or LANCZOS4 to 128 x 128, RGB, x / 255",
        plain.antispoof(),
        [_SQUARE_1_5],
        ("output", 2),
    ),
    PublicNetwork(
        "johnraivenolazo/face-antispoof-onnx",
        _ANTISPOOF_INT8,
        "the same, dynamically quantised to int8",
        plain.antispoof(),
        [_SQUARE_1_5],
        ("output", 2),
    ),
    PublicNetwork(
        "johnraivenolazo/face-antispoof-onnx",
        _ANTISPOOF,
        "the same, with an input of float16 put before the network",
        plain.antispoof(np.float16),
        [_SQUARE_1_5],
        ("output", 2),
        takes_float16=True,
    ),
    _seeta(_MASK, 112, "_input_41", ("mask_9", 2)),
    _seeta(_GENDER, 112, "_input_66", ("gender_14", 2)),
    _seeta(_POSE, 80, "_input_24", ("fc_pose_umd_28", 3)),
    _seeta(_EYES, 90, "_origin_data_22", ("prob_40", 4), "nhwc"),
    PublicNetwork(
        "zjd1988/seetaface6_onnx_model",
        _LANDMARKS,
        "box, cv2.resize 112 x 112, then cv2's gray, 0 to 255",
        plain.seeta_landmarks,
        [
            {
                "crop": _BOX,
                "input": {"name": "input1", "size": [112, 112], "channels": "gray", "gray": {"by": "opencv"}} | _OPENCV,
            }
        ],
        ("output2", 10),
    ),
    PublicNetwork(
        "roopakraamb/Emotion-Recognition-using-CNN-",
        _GRAY_EMOTION,
        "whole image, cv2.resize 48 x 48, then cv2's gray, x / 255, NHWC",
        plain.gray_emotion,
        [
            {
                "input": {
                    "name": "input",
                    "size": [48, 48],
                    "layout": "nhwc",
                    "channels": "gray",
                    "gray": {"by": "opencv"},
                    "resample": "opencv_bilinear",
                }
            }
        ],
        ("dense_1", 7),
        {"finder": "none"},
    ),
    PublicNetwork(
        "cibizoro/emotion-detection",
        _COLOUR_EMOTION,
        "box, cv2.resize 48 x 48, BGR, x / 255, NHWC",
        plain.colour_emotion,
        [
            {
                "crop": _BOX,
                "input": {
                    "name": "input",
                    "size": [48, 48],
                    "layout": "nhwc",
                    "channels": "bgr",
                    "resample": "opencv_bilinear",
                },
            }
        ],
        ("sequential", 7),
    ),
    PublicNetwork(
        "diandianti/photo_analyze",
        _PHOTO_ANALYZE,
        "box made square by whole pixels, cut at the edge, cv2.resize 112 x 112, RGB, (x - 127) / 128",
        plain.squared_face,
        [
            {
                "crop": {"shape": "square", "margin": 0, "outside": "clamp", "edges": "margins"},
                "input": {"name": "input", "size": [112, 112], "mean": [127] * 3, "std": [128] * 3} | _OPENCV,
            }
        ],
        ("output", 128),
    ),
    PublicNetwork(
        "deepinsight/insightface, on the network of darzhz/pixamatch",
        _PIXAMATCH | _YUNET,
        "landmarks to ArcFace's points by scikit-image in float64, warpAffine 112 x 112, RGB, (x - 127.5) / 127.5",
        plain.insightface,
        [
            {
                "align": "arcface-112",
                "input": {"name": "input", "size": [112, 112], "mean": [127.5] * 3, "std": [127.5] * 3} | _OPENCV,
            }
        ],
        ("output", 128),
        _BY_YUNET,
    ),
    PublicNetwork(
        "darzhz/pixamatch",
        _PIXAMATCH | _YUNET,
        "landmarks to five points of its own by OpenCV's step-wise fit, warpAffine 112 x 112, BGR, (x - 127.5) / 128",
        plain.fitted_face,
        [
            {
                "align": {"size": [112, 112], "points": plain.PIXAMATCH.tolist()},
                "input": {"name": "input", "size": [112, 112], "mean": [127.5] * 3, "std": [128] * 3} | _AS_READ,
            }
        ],
        ("output", 128),
        _BY_YUNET,
    ),
    PublicNetwork(
        "Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB",
        _RFB,
        "finder: cv2.resize 320 x 240, RGB, (x - 127) / 128; boxes as shares",
        finders.ultra_light,
        faces=_finder(
            _RFB,
            {
                "input": _ULTRA_INPUT,
                "scores": {"outputs": ["scores"], "index": 1},
                "boxes": {"outputs": ["boxes"], "unit": "share"},
                "overlap": 0.3,
            },
        ),
    ),
    PublicNetwork(
        "Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB",
        _RFB_PRIORS,
        "finder: the same without post-processing; boxes from priors",
        finders.ultra_light_priors,
        faces=_finder(
            _RFB_PRIORS,
            {
                "input": _ULTRA_INPUT,
                "scores": {"outputs": ["scores"], "index": 1},
                "boxes": {"outputs": ["boxes"]},
                "priors": {
                    "strides": [8, 16, 32, 64],
                    "sizes": [[10, 16, 24], [32, 48], [64, 96], [128, 192, 256]],
                    "clip": True,
                    "cells": "even",
                },
                "overlap": 0.3,
            },
        ),
    ),
    PublicNetwork(
        "diandianti/photo_analyze",
        _RETINA,
        "finder: cv2.resize 640 x 640, BGR, x - (104, 117, 123); boxes and landmarks from priors",
        finders.retina_face,
        faces=_finder(
            _RETINA,
            {
                "input": {"name": "input0", "size": [640, 640], "mean": [104, 117, 123]} | _AS_READ,
                "scores": {"outputs": ["572"], "index": 1},
                "boxes": {"outputs": ["output0"]},
                "landmarks": {"outputs": ["571"]},
                "priors": {"strides": [8, 16, 32], "sizes": [[16, 32], [64, 128], [256, 512]]},
                "overlap": 0.4,
            },
        ),
    ),
    PublicNetwork(
        "deepinsight/insightface, exported by darzhz/pixamatch",
        _SCRFD,
        "finder: cv2.resize into the upper left of 640 x 640, RGB, (x - 127.5) / 128; distances from a grid",
        finders.scrfd,
        faces=_finder(
            _SCRFD,
            {
                "input": {
                    "name": "input.1",
                    "size": [640, 640],
                    "fit": "pad",
                    "pad": {"side": "end", "rounding": "down"},
                    "mean": [127.5] * 3,
                    "std": [128] * 3,
                }
                | _OPENCV,
                "scores": {"outputs": ["446", "466", "486"]},
                "boxes": {"outputs": ["449", "469", "489"]},
                "landmarks": {"outputs": ["452", "472", "492"]},
                "distances": {"strides": [8, 16, 32], "per_point": 2},
                "overlap": 0.4,
            },
            min_confidence=0.5,
        ),
    ),
    PublicNetwork(
        "johnraivenolazo/face-antispoof-onnx",
        _YUNET,
        "finder yunet: OpenCV's FaceDetectorYN on the whole image",
        finders.by_yunet,
        faces=_BY_YUNET,
    ),
)
