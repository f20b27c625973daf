"""Metrics as functions on arrays, and `evaluate`, which feeds them and collects a report.

======================  ============================================================================
``evaluate``            a model, or stored predictions, on a dataset
``inference``           runs a model over a dataset
``predictions``         the file in which any system hands in its predictions
``attributes``          attribute metrics of VAW and OVAD, from a score matrix; its parts:
                        ``average_precision``, ``decisions``, ``counts``
``box_free``            detections matched to annotated boxes, by two protocols (``matching``)
``box_given``           categories of given boxes
``coco_ovd``            AP50 of base and novel categories, by COCOeval (``coco_eval``)
``proposal_recall``     recall of boxes
``official``            attribute metrics as the official tools print them
``report``              the printed table and its JSON (``report_rows``, ``protocols``)
``speed``               seconds per image
======================  ============================================================================
"""
