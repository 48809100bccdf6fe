// Everything of Apple's that this device touches: types, C functions, classes and selectors.
//
// None of it has a public header. The functions of the Objective-C runtime, CoreFoundation and
// IOSurface are public C interfaces; classes and selectors of AppleNeuralEngine.framework and the
// e5rt_* functions of Espresso.framework are private. Their signatures are those of
// class dumps and of the projects that call them (docs/ane.md). The emulator implements the same
// declarations, so a slip between the two sides does not compile.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millwright::device::ane {

// An Objective-C object or class, a CoreFoundation object or an IOSurface: CoreFoundation's types
// are bridged, so that CFRelease and objc_release are one.
struct ObjcObject;
using Id = ObjcObject*;
struct ObjcSelector;
using Selector = ObjcSelector*;
struct ObjcMethod;
using Method = ObjcMethod*;
using Implementation = void (*)();  // called as R (*)(Id receiver, Selector, Args...)

// An opaque object of Espresso.
struct E5Object;
using E5Handle = E5Object*;

inline constexpr uint32_t kUtf8 = 0x08000100;       // kCFStringEncodingUTF8
inline constexpr long kNumberSInt64 = 4;            // kCFNumberSInt64Type
inline constexpr uint32_t kSurfaceReadOnly = 1;     // kIOSurfaceLockReadOnly
inline constexpr unsigned kQualityOfService = 21;   // by convention (facts 3.2, G5)
inline constexpr uint64_t kNeuralEngineMask = 0x4;  // 1 BNNS, 2 MPSGraph, 4 ANE (fact 3.8)

// The functions that path A needs: c_functions.def as pointers.
struct CFunctions {
#define C_FUNCTION(name, Return, Parameters) Return(*name) Parameters = nullptr;
#include "device/ane/c_functions.def"
// Constants: pointers to them.
#define C_CONSTANT(name, Type) const Type* name = nullptr;
#include "device/ane/c_functions.def"
};

// The functions that path E needs.
struct E5Functions {
#define E5_FUNCTION(name, Return, Parameters) Return(*name) Parameters = nullptr;
#include "device/ane/e5_functions.def"
};

}  // namespace millwright::device::ane
