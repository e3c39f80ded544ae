// Precompiled for test files, beside what their module has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
