import pytest

from ovarnet.config import OvarnetTraining
from ovarnet.errors import InputError
from ovarnet.training.distill_data import DistillData


@pytest.mark.parametrize("half", [{"captions": "absent/*.tar"}, {"captions_per_batch": 2}])
def test_half_of_the_caption_settings_is_refused_before_anything_is_read(half):
    with pytest.raises(InputError, match=r"captions is .* and captions_per_batch is"):
        DistillData.open(OvarnetTraining(**half))
