"""Where the lake is and how this environment runs: read once, from LAKEHOUSE_* variables over conf/<environment>.yaml."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from lakehouse.errors import Misuse
from lakehouse.model.documents import told
from lakehouse.model.money import Rate
from lakehouse.model.plain_yaml import read_yaml

_HERE = Path(__file__).parent
# The same names as spark.redaction.regex in conf/spark-defaults.conf.
_SECRET = re.compile(r"secret|password|token|access[.]?key|credential", re.IGNORECASE)


def conf_dir() -> Path:
    """The configuration folder: LAKEHOUSE_CONF, else conf/ beside the package, else the one installed with it."""
    if chosen := os.environ.get("LAKEHOUSE_CONF"):
        return Path(chosen)
    checkout = _HERE.parent / "conf"
    return checkout if (checkout / "spark-defaults.conf").is_file() else _HERE / "conf"


class _EnvironmentFile(PydanticBaseSettingsSource):
    """Values from conf/<environment>.yaml, below the process environment."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        file = conf_dir() / f"{os.environ.get('LAKEHOUSE_ENVIRONMENT', 'dev')}.yaml"
        if not file.is_file():
            return {}
        with file.open(encoding="utf-8") as stream:  # a stream, so that an error names the file
            values = read_yaml(stream) or {}
        # A setting with a variable of its own, such as SPARK_MASTER, is known to pydantic by that.
        aliases = {name: field.validation_alias for name, field in self.settings_cls.model_fields.items()}
        return {str(aliases.get(name) or name): value for name, value in values.items()}


class Settings(BaseSettings):
    """Settings of one process. Each can be given as LAKEHOUSE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="LAKEHOUSE_", extra="forbid", frozen=True)

    environment: Literal["dev", "demo", "test", "prod"] = Field("dev", description="Which conf/<environment>.yaml applies")
    root: str | None = Field(None, description="The lake: a folder, or s3a://bucket/prefix")
    s3_endpoint: str | None = Field(
        None,
        description="Address of an S3 store that is not AWS, such as https://minio:9000; by default AWS_ENDPOINT_URL, else AWS",
    )
    s3_region: str | None = Field(None, description="Region of the bucket; by default AWS_REGION")
    s3_path_style: bool | None = Field(
        None,
        description="Whether the bucket stands in the path of a request, not in the host name; by default where there is an endpoint",
    )
    s3_attempts: int = Field(
        12,
        ge=1,
        description="Tries of a request, with pauses that double up to 20 seconds and have chance in them: a minute or more",
    )
    single_writer: bool = Field(
        False, description="Promises that only one process ever writes to a lake on a store that does not honour If-None-Match"
    )
    lease_seconds: int = Field(
        60, ge=5, description="For how long the lease of a lake on S3 is held without a sign of life of its holder"
    )
    lease_wait: float = Field(0, ge=0, description="Seconds to wait for another writer before giving up with exit code 3")
    incoming_settled: float = Field(
        30, description="Seconds for which a file in landing/incoming must not have been touched to be taken for complete"
    )
    sources: Path | None = Field(None, description="A folder of dialects of your own, beside conf/sources")
    jars: Path | None = Field(None, description="Folder for the pinned JARs; the user's cache folder by default")
    spark_master: str = Field("local[*]", validation_alias="SPARK_MASTER", description="Spark master")
    max_quarantine: Rate | None = Field(
        None, description="Share of refused lines, such as 5%, beyond which a report is held whole; without it none is"
    )
    spark_conf: dict[str, str] = Field({}, description="Spark properties over conf/spark-defaults.conf")

    @field_validator("spark_conf")
    @classmethod
    def _no_secrets(cls, properties: dict[str, str]) -> dict[str, str]:
        """Spark properties stand on the command line of the JVM, which every user of the machine can read."""
        if secret := sorted(name for name in properties if _SECRET.search(name)):
            raise ValueError(
                f"{', '.join(secret)} would be seen in the list of processes: give credentials as AWS_ACCESS_KEY_ID "
                "and AWS_SECRET_ACCESS_KEY, or by a role of the machine"
            )
        return properties

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource, file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        return init_settings, env_settings, _EnvironmentFile(settings_cls)


def load_settings(**given: Any) -> Settings:
    """The settings of this process, with `given` (such as ``root``) over everything. Raises Misuse, naming what is wrong."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except (SettingsError, yaml.YAMLError) as error:
        raise Misuse(f"The settings cannot be read: {error}. See docs/reference/settings.md.") from None
    except ValidationError as error:
        raise Misuse(f"The settings are not valid: {told(error)}. See docs/reference/settings.md.") from None
