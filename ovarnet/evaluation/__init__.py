"""Metrics: functions on arrays first, then `evaluate_model` and `evaluate_predictions` which feed them.

average_precision   AP of every word at once                     attributes   VAW and OVAD attribute metrics
box_given           ground-truth boxes classified                box_free     ground truth matched to detections, two protocols
coco_ovd            COCO-OVD AP50 base / novel / all             proposals    recall of boxes
predictions         stored predictions of any system             report       the printed table and its JSON
protocols           what the settings and the box-free protocols are called
"""
