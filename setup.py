"""Packaging of the royalty lakehouse: ``pip install .`` gives the ``lakehouse`` command."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# What every user of the lake needs. Versions are those seen to run together; the lock files in conf/lock pin the rest.
CORE = [
    "pyspark==4.2.0",
    "delta-spark==4.4.0",
    "deltalake==1.6.6",
    "duckdb==2.0.0; python_version >= '3.11'",
    "duckdb==1.4.4; python_version < '3.11'",  # the last line of releases for Python 3.10
    "pyarrow>=19",
    "pandas==2.3.3",
    "pydantic==2.14.3",
    "pydantic-settings>=2.6",
    "rapidfuzz==3.14.6; python_version >= '3.11'",
    "rapidfuzz>=3.14,<3.14.6; python_version < '3.11'",
    "typer>=0.16",
    "rich>=13.9",
    "PyYAML>=6.0.2",
    "openpyxl>=3.1.5",
    "python-stdnum>=2.0",
    "pycountry==26.2.16",
    "iso4217",
    "filelock>=3.16",
    "platformdirs>=4.3",
    "lxml>=5.3",
]

S3 = ["boto3>=1.35"]
QUALITY = ["great_expectations==1.24.1"]
NOTEBOOKS = ["jupytext>=1.16", "nbclient>=0.10", "ipykernel>=6.29", "matplotlib>=3.9"]

EXTRAS = {
    # In an environment of its own: pyspark-client and pyspark own the same folder. Selenium is for the test that looks at the UI.
    "airflow": [
        "apache-airflow==3.3.2",
        "apache-airflow-providers-apache-spark==6.3.4",
        "pyspark-client==4.2.0",
        "selenium>=4.25",
    ],
    "s3": S3,
    "quality": QUALITY,
    "notebooks": NOTEBOOKS,
    "bench": ["splink==5.0.0"],
    "dev": [
        *S3,
        *QUALITY,
        *NOTEBOOKS,
        "moto[server]==5.2.5",
        "pytest>=8.3",
        "pytest-timeout>=2.3",
        "pytest-xdist>=3.8",
        "hypothesis>=6.115",
        "chispa>=0.10",
        "ruff>=0.8",
        "mypy>=1.13",
        "types-PyYAML",
        "pandas-stubs>=2.2,<3",
        "pre-commit>=4.0",
    ],
}

setup(
    name="royalty-lakehouse",
    version="0.1.0",
    description="From DSP usage and sales reports to royalty statements that anyone can verify.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8") if (HERE / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.13",
    packages=[*find_packages(include=["lakehouse", "lakehouse.*"]), "lakehouse.conf", "lakehouse.reference"],
    # conf/ and docs/ are at the top of the checkout, where people look for them; an installed package carries inside what it needs.
    package_dir={"lakehouse.conf": "conf", "lakehouse.reference": "docs/reference"},
    package_data={
        "lakehouse": ["py.typed"],
        "lakehouse.export.audit": ["README.md", "checks.sql"],
        "lakehouse.conf": ["**/*"],
        "lakehouse.reference": ["content-root.md"],
    },
    include_package_data=False,
    install_requires=CORE,
    extras_require={
        **EXTRAS,
        "all": sorted({package for name, extra in EXTRAS.items() if name != "airflow" for package in extra}),
    },
    entry_points={"console_scripts": ["lakehouse=lakehouse.cli:main"]},
)
