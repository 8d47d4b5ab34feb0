"""An S3-compatible server on the loopback to test with, where moto is installed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

ACCESS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "whatever-they-know",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Bucket:
    """A bucket of our own, and how roomtone is set to keep its store there."""

    def __init__(self, storage: ObjectStorage, name: str) -> None:
        self.storage, self.name = storage, name

    @property
    def address(self) -> str:
        """As the setting `store` has it."""
        return f"s3://{self.name}/takes"

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of commands that keep their store here."""
        return {**self.elsewhere, "ROOMTONE_STORE": self.address}

    @property
    def elsewhere(self) -> Mapping[str, str]:
        """The environment of commands that keep their store elsewhere and may use the bucket."""
        return {**ACCESS, "ROOMTONE_STORE_ENDPOINT": self.storage.endpoint}

    @property
    def objects(self) -> dict[str, bytes]:
        """All that lies in it, by name below the prefix."""
        found = self.storage.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            item["Key"].removeprefix("takes/"): self.storage.client.get_object(
                Bucket=self.name, Key=item["Key"]
            )["Body"].read()
            for item in found
        }

    def put(self, name: str, data: bytes) -> None:
        """Put an object there, as another program would."""
        self.storage.client.put_object(Bucket=self.name, Key=f"takes/{name}", Body=data)

    def delete(self, name: str) -> None:
        """Remove an object."""
        self.storage.client.delete_object(Bucket=self.name, Key=f"takes/{name}")


class ObjectStorage:
    """The server. It forgets nothing while it is away."""

    def __init__(self) -> None:
        import boto3
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, self._port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{self._port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ACCESS["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
        )
        self._numbers = itertools.count(1)

    def bucket(self) -> Bucket:
        """An empty bucket."""
        name = f"films-{os.getpid()}-{next(self._numbers)}"
        self.client.create_bucket(Bucket=name)
        return Bucket(self, name)

    def go(self) -> None:
        """Be away, as a network that is lost."""
        self._server.stop()

    def come(self) -> None:
        """Be there again."""
        from moto.server import ThreadedMotoServer

        self._server = ThreadedMotoServer("127.0.0.1", port=self._port, verbose=False)
        self._server.start()


@contextmanager
def object_storage() -> Iterator[ObjectStorage | str]:
    """A server for as long as it is needed, or why there is none."""
    try:
        import s3fs  # noqa: F401

        storage = ObjectStorage()
    except ImportError as fault:
        yield f'no S3 to test with ({fault}): pip install "moto[s3]" flask flask-cors s3fs'
        return
    try:
        yield storage
    finally:
        storage.go()
