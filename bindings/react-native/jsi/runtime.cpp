// JavaScriptCore behind React Native's JavaScript interface, with what its published binding leaves out and the generated
// code needs: big integers, array buffers over memory of the native side, and texts with a zero in them.
//
// The binding's class is in no header: its source is included. The Makefile makes two of its methods virtual.
#include "runtime.h"

#include <JSCRuntime.cpp>

#include <codecvt>
#include <cstring>
#include <locale>

namespace {
using namespace facebook;

class Runtime final : public jsc::JSCRuntime {
public:
    jsi::Value createValue(JSValueRef value) const override {
        if (!JSValueIsBigInt(context_, value)) return JSCRuntime::createValue(value);
        return jsi::Value(make<jsi::BigInt>(new HeldBigInt(context_, value)));
    }

    JSValueRef valueRef(const jsi::Value &value) override {
        return value.isBigInt() ? held(value.getBigInt(*this)).value : JSCRuntime::valueRef(value);
    }

protected:
    jsi::BigInt createBigIntFromInt64(int64_t number) override {
        return bigInt([&](JSValueRef *problem) { return JSBigIntCreateWithInt64(context_, number, problem); });
    }

    jsi::BigInt createBigIntFromUint64(uint64_t number) override {
        return bigInt([&](JSValueRef *problem) { return JSBigIntCreateWithUInt64(context_, number, problem); });
    }

    // Comparing with what is left after cutting off tells whether it fits.
    bool bigintIsInt64(const jsi::BigInt &number) override {
        return isSame(number, createBigIntFromInt64(static_cast<int64_t>(truncate(number))));
    }
    bool bigintIsUint64(const jsi::BigInt &number) override {
        return isSame(number, createBigIntFromUint64(truncate(number)));
    }
    bool strictEquals(const jsi::BigInt &one, const jsi::BigInt &other) const override { return isSame(one, other); }

    uint64_t truncate(const jsi::BigInt &number) override {
        JSValueRef problem = nullptr;
        uint64_t truncated = JSValueToUInt64(context_, held(number).value, &problem);
        rethrow(problem);
        return truncated;
    }

    PointerValue *cloneBigInt(const PointerValue *number) override {
        return new HeldBigInt(context_, static_cast<const HeldBigInt *>(number)->value);
    }

    jsi::ArrayBuffer createArrayBuffer(std::shared_ptr<jsi::MutableBuffer> buffer) override {
        static uint8_t nothing; // an empty one has an address as well, or the engine takes it for a failed allocation
        void *bytes = buffer->size() == 0 ? &nothing : buffer->data();
        auto release = [](void *, void *owner) { delete static_cast<std::shared_ptr<jsi::MutableBuffer> *>(owner); };
        auto owner = new std::shared_ptr<jsi::MutableBuffer>(buffer);
        JSValueRef problem = nullptr;
        auto object =
            JSObjectMakeArrayBufferWithBytesNoCopy(context_, bytes, buffer->size(), release, owner, &problem);
        rethrow(problem);
        return createValue(object).getObject(*this).getArrayBuffer(*this);
    }

    /** The binding's own would end a text at its first zero. */
    jsi::String createStringFromUtf8(const uint8_t *bytes, size_t length) override {
        if (std::memchr(bytes, 0, length) == nullptr) return JSCRuntime::createStringFromUtf8(bytes, length);
        auto first = reinterpret_cast<const char *>(bytes);
        auto text = std::wstring_convert<std::codecvt_utf8_utf16<char16_t>, char16_t>().from_bytes(first, first + length);
        auto string = JSStringCreateWithCharacters(reinterpret_cast<const JSChar *>(text.data()), text.size());
        auto value = createValue(JSValueMakeString(context_, string));
        JSStringRelease(string);
        return value.getString(*this);
    }

private:
    /** Keeps the engine from collecting the number. */
    struct HeldBigInt final : PointerValue {
        HeldBigInt(JSGlobalContextRef context, JSValueRef value) : context(context), value(value) {
            JSValueProtect(context, value);
        }
        void invalidate() noexcept override {
            JSValueUnprotect(context, value);
            delete this;
        }
        JSGlobalContextRef context;
        JSValueRef value;
    };

    static const HeldBigInt &held(const jsi::BigInt &number) {
        return *static_cast<const HeldBigInt *>(getPointerValue(number));
    }

    template <typename Make> jsi::BigInt bigInt(Make make) {
        JSValueRef problem = nullptr;
        JSValueRef value = make(&problem);
        rethrow(problem);
        return createValue(value).getBigInt(*this);
    }

    bool isSame(const jsi::BigInt &one, const jsi::BigInt &other) const {
        return JSValueIsStrictEqual(context_, held(one).value, held(other).value);
    }

    void rethrow(JSValueRef problem) {
        if (problem) throw jsi::JSError(*this, createValue(problem));
    }

    const JSGlobalContextRef context_ = getContext();
};
} // namespace

std::unique_ptr<facebook::jsi::Runtime> newRuntime() { return std::make_unique<Runtime>(); }
