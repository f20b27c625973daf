"""Word classes of English for the rule-based grammar.

Closed classes in full, the common verbs and adjectives of captions by hand. A word in none of the
lists is a noun, unless its prefix or its ending says otherwise.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from ovarnet.captions.inflection import plural


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


class Kind(str, Enum):
    """What a word (or a whole term) is to the grammar.

    One letter each, so that what stands between two phrases is a short string.
    """

    DETERMINER = "D"
    # Also some, several, both, other: with them, a phrase without a noun refers back ("one black
    # and one white").
    NUMBER = "#"
    PREPOSITION = "P"
    WITHOUT = "Z"
    CONJUNCTION = "C"
    COPULA = "B"
    VERB = "V"  # cannot be anything else
    VERB_OR_NOUN = "v"
    VERB_OR_PLURAL = "s"
    PARTICIPLE = "g"  # -ing, -ed
    ATTRIBUTE_PARTICIPLE = "E"  # the same, and a word of the vocabulary: parked, striped
    ADJECTIVE = "A"
    MATERIAL = "M"  # a noun that serves as an adjective: brick wall
    ADJECTIVE_OR_THING = "K"  # orange: an attribute and a category of the vocabulary
    NOUN = "n"
    PRONOUN = "O"
    RELATIVE = "W"
    ADVERB = "R"
    NOT = "X"
    TO = "T"
    POSSESSIVE = "S"
    HYPHEN = "-"
    COMMA = ","
    STOP = "."


ARTICLES = _set("""
    a an the this that these those his her its their my your our whose every each any no neither
    either such another
""")
POINTING_BACK = _set("""
    one two three four five six seven eight nine ten both other others another several some many few
""")
SINGULAR_DETERMINERS = _set("a an one this that each every another")

_CLOSED = {
    Kind.DETERMINER: ARTICLES | {"all", "what"},
    Kind.NUMBER: _set("""
        one two three four five six seven eight nine ten eleven twelve dozen both other others
        several some many few half multiple numerous various more most last next
    """),
    Kind.PREPOSITION: _set("""
        in on at of with by from for into onto over under through across along around behind beside
        besides between among amongst near against above below beneath before after during inside
        outside past toward towards upon off out up down about like as within throughout beyond
        underneath atop via amid amidst per until till since while whilst whil though although
        because when where if than away together alongside aboard unto plus outdoors indoors outside
        underwater sideways nearby upside airborne midair
    """),
    Kind.WITHOUT: _set("without except lacking minus instead excluding"),
    Kind.CONJUNCTION: _set("and or but nor & yet"),
    Kind.COPULA: _set("""
        is are was were be been being am looks look looked seems seem seemed appears appear becomes
        became remains feels turned turns 're ’re
    """),
    Kind.VERB: _set("""
        has have had having do does did done can ca could will wo would may might must should shall
        sat stood held ran wore seen saw caught taken took shown thrown threw swam rode ridden made
        makes make gets get got goes go went gone lets let lays laid lies lie comes come came gives
        give gave given takes take holds hold wears wear carries carry eats eat ate sees see says
        say said knows know keeps keep kept finds find found tries try tried wants want starts
        begins begin began puts put brings bring brought wades wade pulls pushes leads led lifts
        hangs hung hang sits sit stands stand runs run jumps leaps leap swims dives drives bites
        chews catches chases climbs crosses crouches digs enjoys enters fetches flies follows
        gathers grabs hikes hits hops hugs kicks kisses kneels laughs leans licks listens lays
        observes overlooks paddles peers performs plays play poses prepares pulls races raises
        reaches reads relaxes rests retrieves rides sings shakes shows shoots skis sleeps sniffs
        speaks splashes stares stops surfs surrounds swings talks throws tosses tries tumbles uses
        waits walks watches works writes
    """),
    Kind.PRONOUN: _set("""
        he she it they him them we us i you me himself herself itself themselves someone something
        anyone anybody none whoever everyone everybody nobody nothing everything anything there here
        ones
    """),
    Kind.RELATIVE: _set("that which who whom"),
    Kind.ADVERB: _set("""
        very quite rather too so really all mostly mainly partly partially almost nearly fully half
        also now still just only even extremely completely entirely then again already once ever
        always often far mid brightly lightly darkly slightly together apart away back forward
        forwards backward backwards headfirst else well longer somewhat close
    """),
    Kind.NOT: _set("not n't n’t nt never hardly"),
    Kind.TO: frozenset(["to"]),
    Kind.POSSESSIVE: frozenset(["'s", "'", "’s", "’"]),
    Kind.HYPHEN: frozenset(["-", "–"]),
    Kind.COMMA: frozenset([",", "/"]),
}

# Base forms. After a noun, "walks" and (after a plural) "walk" are verbs; elsewhere they may be
# nouns.
VERBS = _set("""
    run walk play jump stand sit hold wear look ride catch throw leap swim climb chase carry smile
    lie lay sleep watch race bite chew fetch dig sniff lick splash swing slide ski skate surf hike
    fish paddle row kayak dance sing perform pose talk speak eat drink cook read write work wait
    stare gaze point reach pull push kick hit toss drop roll spin flip turn move travel cross enter
    exit leave approach follow lead crawl kneel crouch bend lean rest relax nap hang float dive wade
    drift sail fly soar land fall trip stumble tackle wrestle fight box punch hug kiss grab grasp
    clutch lift raise lower bring take give show share feed serve pour prepare make build paint draw
    cut saw clean wash brush sweep shovel plant pick gather collect shop buy sell pay use try
    attempt begin start stop continue finish enjoy love like laugh cry scream yell shout bark growl
    howl snarl cheer clap wave greet meet visit compete battle practice train exercise stretch
    bounce hop skip twirl balance grind trot gallop buck charge dash sprint jog cycle bike pedal
    drive steer park tow pass overlook surround cover fill shine glow rise set peer peek glance
    observe examine inspect study photograph film record display sport press romp submerge slurp
    meander wander gulp pant paw sneak appear seem return retrieve swat shake dry stroll stride
    march parade sled snowboard skateboard navigate maneuver scale ascend descend rappel tug tear
    rip nip nibble sip blow puff smoke light burn help assist teach learn hide seek search smell
    taste touch feel pet stroke comb embrace guard protect attack emerge escape exchange explore
    hand deliver launch release shoot aim fire strike smash crash collide listen hear see view face
    huddle line wind head lounge sunbathe tan tease tickle wrap tie untie bury dangle dribble duck
    dunk fold frolic hurdle juggle knit operate pause pitch pretend receive rehearse rub scatter
    sculpt shade snuggle spray squat squint squirt stick straddle swallow sway tumble tussle tilt
    topple wipe gesture grimace grin frown smirk wink yawn loom await crowd stack
""")
# -s forms that captions nearly always use as plurals.
PLURAL_RATHER = _set("""
    lights hands sports lines plants films records brushes boxes ties tops views sets sticks parks
    fires guards trains bikes cycles pitches shades scales drops kayaks hurdles snowboards
    skateboards lands studies saws paints lounges likes ducks crowds stacks bottoms pants
""")
ING_NOUNS = _set("""
    building clothing railing awning painting wedding ceiling string ring swing king wing evening
    morning thing spring crossing opening sling stocking drawing earring lightning pudding frosting
    icing topping stuffing filling sibling duckling gosling viking dumpling siding lining shelving
""")
# What follows them is an object: "while wearing black shorts".
TRANSITIVE = _set("""
    wearing holding carrying riding using pulling pushing catching chasing throwing eating drinking
    doing having watching taking making hitting kicking chewing biting retrieving fetching crossing
    climbing overlooking
""")
# Who does not do it has no such thing: "not wearing a hat".
HAVING = _set("""
    has have having wears wear wearing holds hold holding carries carry carrying rides ride riding
    uses use using
""")
COMPOUND_ENDS = _set("""
    covered filled lined shaped capped topped themed sized written drawn woven built
""")
ED_NOUNS = _set(
    "bed shed sled reed seed weed steed speed feed need deed red thoroughbred moped breed hundred "
    "biped bunkbed"
)

ADJECTIVES = _set("""
    young old new elderly happy sad wet dry hot cold warm cool clean dirty muddy snowy sunny rainy
    cloudy icy foggy misty windy dusty stormy empty full open closed busy crowded quiet loud calm
    choppy rough smooth soft hard sharp round square oval flat steep curved straight curly wavy
    shaggy fluffy furry fuzzy hairy bald bearded shirtless topless barefoot naked nude blonde
    brunette brindle asian african american european indian chinese japanese hispanic caucasian
    mexican german french english british hawaiian pretty beautiful cute lovely handsome ugly funny
    silly strange odd unusual interesting different similar same various numerous multiple single
    double lone alone whole entire main major minor front rear upper lower inner outer left right
    middle central leftmost rightmost topmost bottommost uppermost frontmost rearmost nearest
    closest furthest farthest first second third fourth fifth sixth early late modern ancient
    antique vintage fresh ripe rotten raw frozen broken damaged rusty worn torn ripped stuffed
    inflatable portable electric electronic mechanical automatic manual digital public private local
    foreign rural urban suburban tropical indoor outdoor wild tame stray domestic female male
    pregnant teenage teenaged junior senior professional amateur formal casual traditional medieval
    religious military medical musical athletic muscular strong weak heavy fast slow quick lively
    excited tired sleepy angry serious scared nervous curious playful energetic aggressive friendly
    lazy hungry thirsty sick healthy blind fancy elegant elaborate simple ornate decorative colorful
    shiny glossy matte sparkly glittery transparent clear opaque bare leafy lush green wooded mossy
    overgrown sparse dense remote scenic rugged hilly mountainous arid dead alive fake real
    artificial natural plush lean petite obese stocky heavyset lanky muscled fit mature miniature
    average extra huge vast tight loose baggy sheer bright vivid faded dull pastel solid matching
    mismatched other own favorite nice good bad great big bigger biggest smaller smallest larger
    largest taller older younger longer shorter darker lighter upright tilted slanted blurry
    silhouetted neon fluorescent metallic wooden woolen golden high low sandy rocky grassy tattooed
    bushy spiky messy frizzy crisp hazy starry moonlit backlit
""")
Y_NOUNS = _set("""
    baby boy lady body sky alley city puppy bunny pony toy party hockey jersey trolley valley gray
    grey family army navy key monkey donkey turkey day play way highway railway walkway runway
    hallway doorway driveway subway pathway gateway bay tray ray spray display birthday holiday guy
    buy clay hay jay tabby kitty doggy buggy berry cherry strawberry jelly candy belly daddy mommy
    mummy trophy lily ivy daisy poppy balcony century gallery grocery bakery pottery jewelry scenery
    machinery greenery factory library territory battery country county company colony enemy energy
    activity university facility electricity property celebrity story history memory cemetery
    laundry pantry entry gypsy hippy fairy ferry wally teddy jockey chimney kidney volley galley
    pulley money honey whiskey harvey photography ceremony symphony comedy tragedy butterfly fly
    dragonfly ally bully canary dairy diary lobby hobby rugby ruby copy cowboy decoy convoy joy ploy
    jeopardy pansy penny embassy pharmacy delicacy canopy nobody somebody anybody everybody
    monastery nursery pastry dolly trey essay ashtray today stairway freeway speedway midway archway
    entryway fairway alleyway medley parsley barley quay buoy gully rally tummy nanny granny bobby
    disney pussy security safety study victory topiary infirmary sanctuary dictionary plenty
    variety
""")
# Participles that do not end in -ed.
PARTICIPLES = _set("""
    eaten hidden fallen driven drawn written woven built burnt bent lit bitten beaten chosen stolen
    swollen sunken shrunken sewn mown grown blown spilt
""")
# With an adjective or a participle they are an adjective: unripe, semitransparent, multicolored.
ADJECTIVE_PREFIXES = ("un", "non", "semi", "multi", "bi", "tri", "over", "under")
ADJECTIVE_ENDINGS = ("less", "ful", "ous", "ish", "able", "ible")
ISH_NOUNS = _set(
    "fish dish radish goldish goldfish jellyfish catfish starfish swordfish relish finish polish "
    "varnish rubbish english "
    "parish table vegetable cable stable timetable marble bible handful mouthful spoonful armful "
    "bagful basketful"
)

# Nouns in the vocabulary's attribute lists: as modifiers they are attributes, after an article they
# are things.
MATERIALS = _set("""
    brick metal plastic leather glass stone rock concrete cement dirt gravel marble granite denim
    cotton straw bamboo tile cobblestone asphalt brass iron steel aluminum aluminium copper bronze
    chrome ceramic porcelain clay rubber wicker cardboard paper cloth fabric silk nylon wool fur
    velvet lace knit stucco plaster foam styrofoam fleece mesh canvas flannel vinyl satin hardwood
    plywood wood gold silver leopard light dark print plaid camouflage camo cream neon rust mud sand
    snow grass water ice hay wire linen suede felt yarn rope chain oak pine teak mahogany burlap tin
    lead wax soap vegetable meat fruit chocolate vanilla cheese
""")

# "long-haired dog": the adjective belongs to the hair.
POSSESSED = {
    "haired": "hair",
    "shirted": "shirt",
    "sleeved": "sleeve",
    "sleeve": "sleeve",
    "eyed": "eye",
    "legged": "leg",
    "coated": "coat",
    "skinned": "skin",
    "faced": "face",
    "nosed": "nose",
    "tailed": "tail",
    "eared": "ear",
    "bearded": "beard",
    "jacketed": "jacket",
    "suited": "suit",
    "hatted": "hat",
    "capped": "cap",
    "clawed": "claw",
    "beaked": "beak",
    "feathered": "feather",
    "winged": "wing",
    "handled": "handle",
    "topped": "top",
    "bottomed": "bottom",
    "roofed": "roof",
    "walled": "wall",
    "framed": "frame",
    "rimmed": "rim",
    "wheeled": "wheel",
    "headed": "head",
    "chested": "chest",
    "necked": "neck",
    "toed": "toe",
    "bellied": "belly",
    "furred": "fur",
    "uniformed": "uniform",
    "collared": "collar",
    "footed": "foot",
    "breasted": "breast",
    "bricked": "brick",
    "petaled": "petal",
    "leaved": "leaf",
    "stemmed": "stem",
    "lettered": "letter",
    "trunked": "trunk",
    "maned": "mane",
    "horned": "horn",
}
COLORED = _set("colored coloured hued toned tinted shaded sized looking")
PLURAL_COPULAS = _set("are were look looked seem seemed appear appeared become became be")
PAINTED = _set("painted dyed colored coloured stained tinted")
# "a mug with a striped pattern": what is striped is the mug.
ASPECTS = _set(
    "pattern print finish surface color colour tone design texture shade hue coloring colouring"
)
# What a region can show of a thing; as adjectives only where a vocabulary or a query says so.
COLORS = _set("""
    red orange yellow green blue purple pink brown gray grey black white silver golden turquoise
    teal cyan magenta violet indigo lavender lilac maroon crimson scarlet burgundy beige cream ivory
    tan khaki olive navy lime peach coral mauve fuchsia bronze
""")
SIZES = _set("""
    small large little tiny long short tall thin thick wide narrow rectangular triangular
""")
PATTERNS = _set("""
    plain striped dotted spotted checkered checked plaid zigzag floral patterned camouflage
""")
QUALITIES = COLORS | SIZES | PATTERNS | MATERIALS
# Never adjectives, so that a missing comma does not glue two phrases: "blue shirt white shorts".
CLOTHING_AND_PEOPLE = _set("""
    shirt shorts pants jeans jacket coat hat cap dress skirt top sweater hoodie shoe boot sock glove
    scarf vest suit uniform outfit helmet sunglasses glasses man woman boy girl child person people
    kid dog cat men women children
""")


@lru_cache(maxsize=100_000)
def kind_of(word: str) -> str:
    """The `Kind` letter of a single lower-case word, without its context."""
    for kind, words in _CLOSED.items():
        if word in words and not (kind is Kind.VERB and _plural_like_verb(word)):
            return kind.value
    if not word[0].isalnum() or word[0] > LAST_LATIN:
        return Kind.STOP.value
    if word.isdigit():
        return Kind.NUMBER.value
    if word in ADJECTIVES:
        return Kind.ADJECTIVE.value
    if word in VERBS:
        return Kind.VERB_OR_NOUN.value
    if word in _VERB_PLURALS:
        return Kind.VERB_OR_PLURAL.value
    return _kind_by_parts(word)


def _plural_like_verb(word: str) -> bool:
    return word in VERBS or word in _VERB_PLURALS


def _kind_by_parts(word: str) -> str:
    """What prefix and ending say of a word that stands in no list."""
    if word in PARTICIPLES:
        return Kind.PARTICIPLE.value
    if word.endswith("ing") and word not in ING_NOUNS and len(word) > 4:
        return Kind.PARTICIPLE.value
    if word.endswith("ed") and word not in ED_NOUNS and len(word) > 3:
        return Kind.PARTICIPLE.value
    if word.endswith("ly") and word not in Y_NOUNS and len(word) > 4:
        return Kind.ADVERB.value
    if word.endswith(ADJECTIVE_ENDINGS) and word not in ISH_NOUNS:
        return Kind.ADJECTIVE.value
    if word.endswith("y") and word not in Y_NOUNS and len(word) > 3:
        return Kind.ADJECTIVE.value
    if _is_prefixed_adjective(word) or _is_superlative(word):
        return Kind.ADJECTIVE.value
    return Kind.NOUN.value


def _is_prefixed_adjective(word: str) -> bool:
    """Unripe, unmade, nonmetallic; not union, trigger."""
    return any(
        word.startswith(prefix) and is_describing(word[len(prefix) :], made=prefix == "un")
        for prefix in ADJECTIVE_PREFIXES
    )


def _is_superlative(word: str) -> bool:
    """Tallest, reddest, shiniest; not forest."""
    if not word.endswith("est") or len(word) < 6:
        return False
    base = word[:-3]
    bases = {base, base + "e", re.sub("i$", "y", base), base[:-1] if base[-1] == base[-2] else base}
    return any(one in ADJECTIVES or one in QUALITIES for one in bases)


def is_describing(word: str, made: bool = False) -> bool:
    """Whether a word by itself is an adjective, a participle, a colour, size, pattern or material.

    Args:
        word: lower case; may be empty.
        made: other forms of a verb count too, as the last part of "unmade".
    """
    if len(word) < 3:
        return False
    kinds = (Kind.ADJECTIVE, Kind.PARTICIPLE, *((Kind.VERB,) if made else ()))
    return word in QUALITIES or kind_of(word) in kinds


LAST_LATIN = "\u024f"  # words of other scripts end a phrase
_VERB_PLURALS = frozenset(plural(verb) for verb in VERBS) - PLURAL_RATHER
