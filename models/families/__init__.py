"""One module per decode family: raw network outputs to boxes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.card import Family
from models.families.boxes import PlainBoxes
from models.families.candidates import DecodeFamily
from models.families.lpd_yunet import LpdYunet
from models.families.nanodet import NANODET
from models.families.picodet import PICODET
from models.families.yolox import Yolox
from models.families.yunet import Yunet

FAMILIES: Final[Mapping[Family, DecodeFamily]] = MappingProxyType(
    {
        "yolox": Yolox(),
        "nanodet": NANODET,
        "picodet": PICODET,
        "boxes": PlainBoxes(),
        "yunet": Yunet(),
        "lpd_yunet": LpdYunet(),
    }
)
