#pragma once

#include <jsi/jsi.h>

#include <memory>

/** A JavaScript engine of its own, for one thread. */
std::unique_ptr<facebook::jsi::Runtime> newRuntime();
