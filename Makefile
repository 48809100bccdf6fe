# A thin front for CMake and Ninja. `make help` says what there is.
MODEL ?= qwen3_06b
BENCH ?= all
BUILD := build/cmake
MODELS := $(patsubst models/%.h,%,$(wildcard models/*.h))
BINARY := build/$(MODEL)/millwright
SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.cc' '*.h')
CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-16 clang-format) clang-format-16)
CLANG_TIDY ?= $(firstword $(shell command -v clang-tidy-16 clang-tidy) clang-tidy-16)

ifeq ($(filter $(MODEL),$(MODELS)),)
  $(error MODEL=$(MODEL): there is no models/$(MODEL).h; there are: $(MODELS))
endif
ifeq ($(shell uname -s),Darwin)
  export OpenMP_ROOT ?= $(shell brew --prefix libomp 2>/dev/null)
endif

.PHONY: build test demo bench help clean format lint
.DEFAULT_GOAL := build

# Ninja decides what is out of date. Each model has its own folder, so that another MODEL never finds
# the wrong binary.
build: $(BUILD)/build.ninja
	@cmake --build $(BUILD) --target millwright_$(MODEL)
	@echo "built $(BINARY)"

$(BUILD)/build.ninja:
	@command -v cmake >/dev/null && command -v ninja >/dev/null || \
	  { echo "cmake and ninja are needed: run scripts/setup.sh" >&2; exit 1; }
	@cmake -S . -B $(BUILD) -G Ninja

test:
	@scripts/test.sh

demo:
	@scripts/demo.sh

bench: build
	@$(BINARY) bench $(BENCH)

help:
	@echo "make [MODEL=name]        builds build/<name>/millwright; the default is qwen3_06b"
	@echo "make test                builds everything and runs all tests (scripts/test.sh)"
	@echo "make demo                trains a small model for two minutes and tells a story (scripts/demo.sh)"
	@echo "make bench [MODEL=name] [BENCH=kernels|gemm|step|scaling|sequence|generate|all|ane]"
	@echo "                         measures against the machine's peak (docs/benchmarks.md)"
	@echo "make format, make lint   clang-format in place; clang-tidy and the layer check"
	@echo "make clean               removes build/ (runs/ is kept)"
	@echo
	@python3 tools/model_memory.py

clean:
	rm -rf build

format:
	$(CLANG_FORMAT) -i $(SOURCES)

lint:
	$(CLANG_FORMAT) --dry-run --Werror $(SOURCES)
	python3 tools/check_layers.py
	CLANG_TIDY=$(CLANG_TIDY) scripts/lint.sh
