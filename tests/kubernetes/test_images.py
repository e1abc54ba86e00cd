# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the test cluster: their names, how they start, whom they trust, and when they are made anew."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import ssl
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.kubernetes.images import alias, from_scratch, images
from tests.kubernetes.images.authority import authority, certificate
from tests.kubernetes.images.layers import Owner, keep, layer, pack
from tests.kubernetes.images.oci import described, image
from tests.kubernetes.packages import PackagesUnavailableError, packages

SMALL = "nginxinc/nginx-unprivileged:1.29-alpine"


@pytest.fixture(scope="module")
def debian() -> None:
    """Skip where there are no Debian packages; CI has them."""
    try:
        packages(["ca-certificates"])
    except PackagesUnavailableError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "matcha.mlops"


def contents(tar: Path) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """Return the files of an image as a container sees them: those of a later layer hide an earlier one's."""
    _name, manifest, _config = described(tar)
    found = {}
    with tarfile.open(tar) as archive:
        for one in manifest["layers"]:
            packed = archive.extractfile("blobs/" + one["digest"].replace(":", "/"))
            assert packed is not None
            tool = shutil.which("zstd") or str(packages(["zstd"]) / "usr/bin/zstd")
            data = subprocess.run([tool, "-dc"], input=packed.read(), capture_output=True, check=True).stdout
            with tarfile.open(fileobj=io.BytesIO(data)) as unpacked:
                for member in unpacked:
                    file = unpacked.extractfile(member) if member.isfile() else None
                    found[member.name] = (member, file.read() if file else b"")
    return found


@pytest.fixture(scope="module")
def tar(debian: None) -> Path:  # noqa: ARG001
    return images([SMALL])[SMALL]


@pytest.fixture(scope="module")
def files(tar: Path) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    return contents(tar)


class TestImage:
    def test_every_digest_is_that_of_its_content(self, tar: Path) -> None:
        name, manifest, configuration = described(tar)
        assert name == f"docker.io/{SMALL}"
        assert len(configuration["rootfs"]["diff_ids"]) == len(manifest["layers"])
        with tarfile.open(tar) as archive:
            blobs = [member for member in archive if member.name.startswith("blobs/sha256/")]
            # Its layers, its manifest, its configuration.
            assert len(blobs) == len(manifest["layers"]) + 2
            for member in blobs:
                file = archive.extractfile(member)
                assert file is not None
                assert hashlib.file_digest(file, "sha256").hexdigest() == member.name.rpartition("/")[2]

    def test_it_trusts_the_authority_and_does_not_have_its_key(
        self, files: dict[str, tuple[tarfile.TarInfo, bytes]]
    ) -> None:
        bundle = files["etc/ssl/certs/ca-certificates.crt"][1]
        assert certificate() in bundle
        context = ssl.create_default_context(cadata=bundle.decode())
        assert len(context.get_ca_certs()) > 100
        assert files["usr/lib/ssl/cert.pem"][0].linkname == "/etc/ssl/certs/ca-certificates.crt"
        key = authority().private_key_pem.bytes().splitlines()[1]
        assert not [name for name, (_member, data) in files.items() if key in data]

    def test_nothing_of_it_can_be_written_by_everybody(self, files: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
        loose = {name for name, (member, _data) in files.items() if member.mode & stat.S_IWOTH and not member.issym()}
        assert loose == {"tmp", "var/tmp"}
        setuid = {name for name, (member, _data) in files.items() if member.mode & (stat.S_ISUID | stat.S_ISGID)}
        assert not [name for name in setuid if files[name][0].isfile()], setuid

    def test_what_its_user_writes_may_be_written_by_any_user(
        self, files: dict[str, tuple[tarfile.TarInfo, bytes]]
    ) -> None:
        for name in ("etc/nginx", "etc/nginx/conf.d", "etc/nginx/conf.d/default.conf", "var/cache/nginx"):
            member = files[name][0]
            assert (member.uid, member.gid) == (101, 0)
            assert member.mode & stat.S_IWGRP

    def test_its_scripts_are_in_it_and_the_package_database_is_not(
        self, files: dict[str, tuple[tarfile.TarInfo, bytes]]
    ) -> None:
        assert files["docker-entrypoint.sh"][0].mode == 0o755
        assert b"\nnginx:x:101:101:" in files["etc/passwd"][1]
        assert files["bin"][0].linkname == "usr/bin"
        assert not [name for name in files if name.startswith(("bin/", "lib/", "var/lib/dpkg/", "usr/share/doc/"))]
        assert any(name.endswith("/os.cpython-311.pyc") for name in files)

    def test_a_warm_run_makes_nothing(self, tar: Path) -> None:
        before = tar.stat().st_ctime_ns
        assert images([SMALL]) == {SMALL: tar}
        assert tar.stat().st_ctime_ns == before

    def test_another_name_is_small_and_of_the_same_image(self, tar: Path) -> None:
        other = alias(tar, "crtea.azurecr.io/matcha/client:0.1.0")
        assert other.stat().st_size < 50_000
        assert described(other)[1:] == described(tar)[1:]
        assert described(other)[0] == "crtea.azurecr.io/matcha/client:0.1.0"


class TestLayers:
    def _tree(self, folder: Path, text: str, modified: int) -> Path:
        (folder / "b").mkdir(parents=True)
        (folder / "b/file").write_text(text)
        (folder / "b/link").symlink_to("file")
        (folder / "a").write_text("first")
        for path in (folder / "b/file", folder / "a", folder / "b"):
            os.utime(path, (modified, modified))
        return folder

    def test_the_same_content_gives_the_same_bytes_whenever_it_is_made(self, tmp_path: Path) -> None:
        for name, text, modified in (("x", "tea", 1), ("y", "tea", 10**9), ("z", "coffee", 1)):
            pack(self._tree(tmp_path / name, text, modified), tmp_path / f"{name}.tar", {})
        first, second, third = ((tmp_path / f"{name}.tar").read_bytes() for name in "xyz")
        assert first == second != third

    def test_it_belongs_to_whom_the_recipe_says(self, elsewhere: Path) -> None:
        made = layer("try", "0", lambda tree: self._tree(tree / "t", "tea", 1) and None, {"t/b": Owner(7, 0, 0o775)})
        tar = image("example.test/try:1", [made], {"User": "7"})
        found = {name: (member.uid, member.gid, member.mode) for name, (member, _data) in contents(tar).items()}
        assert found["t/b"] == (7, 0, 0o775)
        assert found["t/a"][:2] == (0, 0)
        assert made.path.is_relative_to(elsewhere)

    def test_what_was_not_used_for_long_is_removed(self, tmp_path: Path) -> None:
        for name in ("kind-00aa", "kind-00bb", "kind-00cc", "kind-of-other-00dd"):
            (tmp_path / name).mkdir()
        for name in ("kind-00bb", "kind-of-other-00dd"):
            os.utime(tmp_path / name, (1, 1))
        keep(tmp_path / "kind-00aa", "kind", 3600)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["kind-00aa", "kind-00cc", "kind-of-other-00dd"]

    def test_what_it_is_made_of_names_an_image(self, elsewhere: Path) -> None:
        def fill(tree: Path) -> None:
            (tree / "file").write_text("tea")

        one = layer("try", "0", fill)
        tars = {
            image("example.test/try:1", layers, settings)
            for layers, settings in (([one], {}), ([one], {"User": "7"}), ([one, one], {}))
        }
        assert len(tars) == 3
        assert image("example.test/try:1", [one], {}) in tars
        assert len(list(elsewhere.glob("image-layer-try-*"))) == 1


@pytest.mark.usefixtures("debian")
def test_an_image_from_scratch_has_its_files_and_an_ordinary_user() -> None:
    tar = from_scratch("example.test/tool:1", {"/tool": b"program"}, ["/tool", "--quiet"], env={"TEA": "green"})
    _name, _manifest, configuration = described(tar)
    assert configuration["config"]["Entrypoint"] == ["/tool", "--quiet"]
    assert configuration["config"]["User"] == "65532:65532"
    assert "TEA=green" in configuration["config"]["Env"]
    files = contents(tar)
    assert (files["tool"][0].mode, files["tool"][1]) == (0o755, b"program")
    assert certificate() in files["etc/ssl/certs/ca-certificates.crt"][1]
    assert files["tmp"][0].mode == 0o1777


def test_the_authority_is_kept_and_its_key_is_private(elsewhere: Path) -> None:
    authority.cache_clear()
    try:
        first = certificate()
        authority.cache_clear()
        assert certificate() == first
        (file,) = elsewhere.glob("authority-*/*")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    finally:
        authority.cache_clear()
