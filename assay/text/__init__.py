"""From bytes to shingles: kernels over the UTF-8 buffer, one read of the text for all.

simd.py            unaligned loads and masks that numba has no name for
utf8.py            one code point in and out, and lower-cased
buffers.py         documents one after another, and bytes to spare
canonical.py       Unicode's canonical forms as a table
normal_form.py     a text in NFC
characters.py      letters and characters of a text
words.py           the word rule
pieces.py          a document's words, letters or characters, piece by piece, in NFC
shingling.py       the kernel that reads a document's shingles
"""
