"""Make docs/images/demo.png, the picture of the README, from the page that `make demo` leaves.

python docs/images/make.py demo/report.html
"""

import base64
import re
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

WIDTH, COLOURS = 1000, 128
FIGURES = {"pictures": "Vorticity at the end", "spectra": "One-dimensional enstrophy spectra"}


def figure(page: str, caption: str) -> Image.Image:
    """The embedded figure whose alternative text begins with `caption`, WIDTH pixels wide."""
    for tag in re.findall(r"<img[^>]*>", page):
        if f'alt="{caption}' in tag:
            data = re.search(r"base64,([^\"]+)", tag).group(1)
            picture = Image.open(BytesIO(base64.b64decode(data))).convert("RGB")
            return picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.LANCZOS)
    sys.exit(f"the page has no figure {caption!r}; is it one that `make demo` made?")


def main() -> None:
    """Vorticity pictures above spectra, few colours, one PNG file."""
    page = Path(sys.argv[1]).read_text()
    parts = [figure(page, caption) for caption in FIGURES.values()]
    whole = Image.new("RGB", (WIDTH, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    # Maximum coverage keeps the few pixels of each curve in their own colour.
    few = whole.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(Path(__file__).with_name("demo.png"), optimize=True)


if __name__ == "__main__":
    main()
