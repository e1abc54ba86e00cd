# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images for the test cluster, under upstream's names, made without a container engine and without a registry.

`images()` gives the tar of each; README.md says what is as upstream has it and what is not.
"""

from __future__ import annotations

from .build import images
from .oci import alias, from_scratch, image, reference
from .recipes import client_name

__all__ = ["alias", "client_name", "from_scratch", "image", "images", "reference"]
