"""Products: index a shop's photos and titles, search them by text or photo, evaluate, tag.

`ovarnet prepare catalogue --root SHOP` comes first; docs/catalogue.md shows the whole way.
"""

from ovarnet.cli.commands.catalogue import describe, embed, evaluate, index, match, search, tag

HELP = "products: index, search, match, evaluate, tag, describe; see ovarnet catalogue --help"
COMMANDS = {
    "index": index,
    "search": search,
    "embed": embed,
    "match": match,
    "evaluate": evaluate,
    "tag": tag,
    "describe": describe,
}
