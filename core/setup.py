"""A setup: the takes that must sound alike, since they are cut against each other."""

from __future__ import annotations

from dataclasses import dataclass

from core.plan import digest


@dataclass(frozen=True)
class Setup:
    """A scene and a microphone of a project; a file by itself where no scene is written.

    microphone: the recorder's name, several joined by `+`. file: name of a file without a scene.
    essence: of such a file.
    """

    project: str
    scene: str
    microphone: str
    file: str = ""
    essence: str = ""

    @property
    def name(self) -> str:
        """The setup for people: `Scene 27B BOOM`."""
        return f"{f'Scene {self.scene}' if self.scene else self.file} {self.microphone}"

    @property
    def key(self) -> str:
        """Names the setup: the same on any machine."""
        return digest({"setup": [self.project, self.scene, self.microphone, self.essence]})
