"""The options reach the model where they are set, and the help tells the defaults."""

from ovarnet.cli.parser import Parser
from ovarnet.cli.suppression_arguments import add_suppression_arguments, suppression_options
from ovarnet.modeling.post_processing import PostProcessing


def test_only_what_was_set():
    parser = Parser()
    add_suppression_arguments(parser)
    assert suppression_options(parser.parse_args([])) == {}
    args = parser.parse_args(["--nms-iou", "0.7", "--containment", "1"])
    assert suppression_options(args) == {"nms_iou": 0.7, "containment": 1.0}
    args.class_agnostic, args.limit = False, 7
    assert PostProcessing(**suppression_options(args)) == PostProcessing(
        nms_iou=0.7, containment=1.0, class_agnostic=False, limit=7
    )


def test_the_help_names_the_defaults():
    parser = Parser()
    add_suppression_arguments(parser)
    defaults = PostProcessing()
    shown = " ".join(parser.format_help().split())
    assert (
        f"1 keeps all (default: the model's, {defaults.nms_iou} where none was chosen for it)"
        in shown
    )
    assert f"of its category; 1 keeps all (default: {defaults.containment})" in shown
