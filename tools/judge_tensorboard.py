#!/usr/bin/env python3
"""What TensorBoard reads from a run's event files.

    python3 tools/judge_tensorboard.py FOLDER         needs tensorboard

Prints JSON: {"scalars": {tag: {step: value}}, "histograms": {tag: {step: [min, max, count, [limits], [counts]]}},
"texts": {tag: {step: text}}, "hparams": {name: value}, "status": of the end of the last session}.
"""

import json
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2


def scalars_and_histograms(folder):
    events = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    tags = events.Tags()
    scalars = {tag: {e.step: e.value for e in events.Scalars(tag)} for tag in tags["scalars"]}
    histograms = {}
    for tag in tags["histograms"]:
        of_tag = histograms[tag] = {}
        for e in events.Histograms(tag):
            h = e.histogram_value
            of_tag[e.step] = [h.min, h.max, h.num, list(h.bucket_limit), list(h.bucket)]
    return scalars, histograms


def texts_and_hparams(folder):
    events = plugin_event_accumulator.EventAccumulator(folder, size_guidance={"tensors": 0})
    events.Reload()
    texts, hparams, status = {}, {}, None
    for tag, _ in events.PluginTagToContent("text").items():
        texts[tag] = {e.step: e.tensor_proto.string_val[0].decode() for e in events.Tensors(tag)}
    for tag, content in events.PluginTagToContent("hparams").items():
        data = plugin_data_pb2.HParamsPluginData.FromString(content)
        if tag == "_hparams_/session_start_info":
            for name, value in data.session_start_info.hparams.items():
                hparams[name] = getattr(value, value.WhichOneof("kind"))
        else:
            status = data.session_end_info.status
    return texts, hparams, status


def main():
    folder = sys.argv[1]
    scalars, histograms = scalars_and_histograms(folder)
    texts, hparams, status = texts_and_hparams(folder)
    print(json.dumps({"scalars": scalars, "histograms": histograms, "texts": texts, "hparams": hparams,
                      "status": status}))


if __name__ == "__main__":
    main()
