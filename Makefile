# `make help` lists what there is. Set-up happens by itself and is remembered by a stamp whose name
# holds a hash of what it was made from.

DISTRO ?= jazzy
PYTHON ?= python3
ARGS ?=
VENV := $(if $(filter jazzy,$(DISTRO)),.venv,.venv-$(DISTRO))
LTC := $(VENV)/bin/ltc
RUN := $(VENV)/bin/python

key = $(shell cat $(addprefix requirements/,$(addsuffix .txt,$(1))) setup.py setup.cfg .ci/prepare | sha256sum | cut -c1-12)
stamp = $(VENV)/.stamps/$(1)-$(call key,$(2))

DRIVE := $(call stamp,drive,$(DISTRO) sim)
TRAIN := $(call stamp,train,$(DISTRO) sim train)
TEST := $(call stamp,test,$(DISTRO) sim train dev)

ifeq ($(filter $(DISTRO),jazzy kilted),)
$(error DISTRO is jazzy or kilted, got '$(DISTRO)')
endif

.DEFAULT_GOAL := help
.PHONY: help drive test lint setup setup-drive setup-train model-car clean
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##\(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo
	@echo '  ARGS="..." is handed on to the command; DISTRO=jazzy (default) or kilted; PYTHON=python3'

drive: $(DRIVE)  ## 19 neurons drive a car over ROS 2: make drive ARGS="--seconds 60 --track 1001"
	@$(LTC) drive $(ARGS)

test: $(TEST)  ## every test, with all that they need: make test ARGS="-k gate"
	@$(RUN) -m pytest $(ARGS)

lint: $(TEST)  ## ruff and mypy
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy

setup: $(TEST)  ## the whole environment, without running anything
setup-drive: $(DRIVE)  ## what a drive needs
setup-train: $(TRAIN)  ## what a drive and a training need: torch, too

model-car: $(TRAIN)  ## collect, train and judge models/car_lane from nothing
	@$(LTC) --version

clean:  ## remove environments, caches and build folders; runs/ and models/ stay
	rm -rf .venv .venv-* build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.stamps/drive-%:
	@PYTHON='$(PYTHON)' .ci/prepare '$(VENV)' '$(DISTRO)' drive && mkdir -p $(@D) && touch $@

$(VENV)/.stamps/train-%:
	@PYTHON='$(PYTHON)' .ci/prepare '$(VENV)' '$(DISTRO)' train && mkdir -p $(@D) && touch $@ $(DRIVE)

$(VENV)/.stamps/test-%:
	@PYTHON='$(PYTHON)' .ci/prepare '$(VENV)' '$(DISTRO)' test && mkdir -p $(@D) && touch $@ $(TRAIN) $(DRIVE)
