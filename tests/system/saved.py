"""Last known good versions, read and written as the service writes them: a tar archive with an index of digests."""

import hashlib
import io
import tarfile


def saved_read(path):
    """Text by name, without the index."""
    with tarfile.open(path) as archive:
        texts = {member.name: archive.extractfile(member).read().decode() for member in archive}
    del texts["INDEX"]
    return texts


def _digest(text):
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def saved_write(path, texts):
    """With digests that fit."""
    with tarfile.open(path) as archive:
        title = archive.extractfile("INDEX").read().decode().splitlines()[0]
    lines = "".join(f"# {len(text.encode())} bytes\n{_digest(text)}  {name}\n" for name, text in sorted(texts.items()))
    index = f"{title}\n# BLAKE2b-256 of the lines below: {_digest(lines)}\n{lines}"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, text in (("INDEX", index), *sorted(texts.items())):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


def saved_change(path, name, before, after):
    texts = saved_read(path)
    texts[name] = texts[name].replace(before, after)
    saved_write(path, texts)
