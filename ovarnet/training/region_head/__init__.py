"""Stage "region_head": OvarNet on a proposer's detector; its region head alone is trained."""
