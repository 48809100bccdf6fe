// For tests: all model headers at once. Each names its model kModel, for the binary built from it,
// so that name is set aside here.
#pragma once

#define kModel kQwen3_06BModel
#include "models/qwen3_06b.h"
#undef kModel
#define kModel kStories110MModel
#include "models/stories110m.h"
#undef kModel
#define kModel kStoriesNanoModel
#include "models/stories_nano.h"
#undef kModel
#define kModel kStoriesMicroModel
#include "models/stories_micro.h"
#undef kModel
