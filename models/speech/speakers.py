"""Who speaks when: from named tracks where there are any, from voices where there is one."""

from __future__ import annotations

from models.speech.tracks import TrackOptions, turns_from_tracks
from models.speech.voiceprint import VoiceEncoder, installed_weights
from models.speech.voices import Voice, turns_from_voices, voices_of

__all__ = [
    "TrackOptions",
    "Voice",
    "VoiceEncoder",
    "installed_weights",
    "turns_from_tracks",
    "turns_from_voices",
    "voices_of",
]
