"""`ovarnet export`."""

from exporter import needs_exporter

from ovarnet.cli.main import main


def refusal(capsys, *arguments):
    assert main(["export", *map(str, arguments)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    return error.removeprefix("error: ").rstrip("\n")


@needs_exporter
def test_bad_arguments_are_refused_before_any_work(tmp_path, capsys):
    found = refusal(capsys, "scenes", "--output", tmp_path / "out")
    assert found == f"--output {tmp_path}/out: the name of the file must end in .onnx"
    found = refusal(capsys, "a.onnx", "--output", tmp_path / "b.onnx")
    assert found == "a.onnx is exported already; give the model it was made from"
    (tmp_path / "file").touch()
    found = refusal(capsys, "scenes", "--output", tmp_path / "file" / "b.onnx")
    assert found == f"{tmp_path / 'file'}: is a file; --output needs a folder"
    found = refusal(capsys, "nonsense", "--output", tmp_path / "b.onnx")
    assert found.startswith("model 'nonsense' is neither a checkpoint folder nor one that ships")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@needs_exporter
def test_words_without_their_kind_are_refused(tmp_path, capsys):
    (tmp_path / "words.txt").write_text("mug\n")
    found = refusal(
        capsys, "scenes", "--output", tmp_path / "b.onnx", "--words", tmp_path / "words.txt"
    )
    assert "takes a .json or .yaml file with the lists 'categories' and 'attributes'" in found
