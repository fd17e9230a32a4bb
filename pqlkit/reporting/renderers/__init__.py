"""The renderer: a result in, text or a rich renderable out; nothing here prints."""
