"""Reads a Containerfile into its stages: what a builder would carry out, instruction by instruction."""
import json
import re
import shlex


class Stage:
    def __init__(self, image, name):
        self.image = image
        self.name = name
        self.instructions = []

    def all(self, keyword):
        return [text for word, text in self.instructions if word == keyword]

    def one(self, keyword):
        found = self.all(keyword)
        assert len(found) == 1, f"{keyword} stands {len(found)} times"
        return found[0]

    def environment(self):
        return dict(word.split("=", 1) for text in self.all("ENV") for word in shlex.split(text))

    def command(self):
        return json.loads(self.one("ENTRYPOINT")) + json.loads(self.one("CMD"))

    def health_check(self):
        options, command = self.one("HEALTHCHECK").split(" CMD ", 1)
        return options.split(), json.loads(command)

    def run(self):
        """The shell command of the stage's only RUN and what --mount asks for."""
        text = self.one("RUN")
        mounts = re.findall(r"--mount=(\S+)\s+", text)
        return re.sub(r"--mount=\S+\s+", "", text), [dict(part.split("=", 1) for part in mount.split(",")) for mount in mounts]


KEYWORDS = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def read(path):
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    stages = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not line.strip():
            continue
        keyword, _, rest = line.partition(" ")
        assert keyword in KEYWORDS, f"{keyword} is no instruction"
        if keyword == "FROM":
            image, _, name = rest.partition(" AS ")
            stages.append(Stage(image.strip(), name.strip()))
        else:
            stages[-1].instructions.append((keyword, rest.strip()))
    return stages
