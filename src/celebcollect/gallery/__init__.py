"""A static page of what was kept, what was left out, and why; a browser shows it without a server.

    DIR/index.html                      written last, by one rename
    DIR/thumbs/<2 digits>/<sha256>.jpg  small pictures, kept from run to run
    DIR/data-<random>/                  style, scripts, rows in small files, loaded when seen

Everything in the catalogue is hostile: texts reach the page as JSON and are shown as text, links
lead to http and https only, and of a rejected picture nothing but a re-encoded thumbnail is ever
shown.
"""
