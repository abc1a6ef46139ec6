// React Native's JavaScript side without a phone: JavaScriptCore, the interface through which React Native reaches native
// code (JSI), and the generated bindings to the real core.
//
//   host BUNDLE [ARGUMENT...]
//
// Runs the script until it calls `host.exit(code)`. `host.reload(state)` does what a reload of an app does: the engine with
// all its JavaScript ends, whatever is under way, and a new one runs the script again, in the same process, over the same
// core.
#include "loop.h"
#include "runtime.h"

#include <safe-scan.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

namespace jsi = facebook::jsi;
namespace files = std::filesystem;

namespace {
/** The folder of all folders that the script asks for. */
class Scratch {
public:
    Scratch() : root_(files::temp_directory_path() / ("safescan-jsi-" + std::to_string(std::random_device()()))) {
        files::create_directory(root_);
    }
    ~Scratch() { files::remove_all(root_); }

    std::string newDirectory() {
        auto directory = root_ / std::to_string(++count_);
        files::create_directory(directory);
        return directory;
    }

private:
    files::path root_;
    int count_ = 0;
};

std::string read(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
}

void write(const std::string &path, const std::string &content) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << content)) throw std::runtime_error("cannot write " + path);
}

void overwrite(const std::string &path, const std::string &find, const std::string &put) {
    auto content = read(path);
    auto at = content.find(find);
    if (at == std::string::npos || find.size() != put.size()) throw std::runtime_error("nothing to overwrite in " + path);
    write(path, content.replace(at, put.size(), put));
}

double residentBytes() {
    std::ifstream file("/proc/self/statm");
    double total = 0, resident = 0;
    file >> total >> resident;
    return resident * 4096;
}

/** One run of the script, from its beginning to `exit` or `reload`. */
struct Life {
    std::shared_ptr<Loop> loop = std::make_shared<Loop>();
    std::unique_ptr<jsi::Runtime> runtime = newRuntime(); // ends before the loop
    std::optional<std::string> state;                     // for the next life
    int code = 0;
};

using Arguments = const jsi::Value *;

/** What the script finds in the global `host`. */
class Host {
public:
    Host(Life &life, Scratch &scratch) : life_(life), scratch_(scratch), object_(*life.runtime) {}

    void install(const std::optional<std::string> &state, const std::vector<std::string> &arguments) {
        auto &runtime = *life_.runtime;
        auto list = jsi::Array(runtime, arguments.size());
        for (size_t i = 0; i < arguments.size(); i++) list.setValueAtIndex(runtime, i, arguments[i]);
        object_.setProperty(runtime, "arguments", list);
        if (state) object_.setProperty(runtime, "state", *state);

        add("print", 1, [](auto &rt, Arguments given) { std::cout << text(rt, given[0]) << std::endl; });
        add("exit", 1, [this](auto &, Arguments given) { leave(given[0].asNumber(), std::nullopt); });
        add("reload", 1, [this](auto &rt, Arguments given) { leave(0, text(rt, given[0])); });
        add("installCore", 0, [this](auto &rt, Arguments) { return jsi::Value(safescan::installRustCrate(rt, life_.loop)); });
        add("nothing", 0, [](auto &, Arguments) {});

        add("newDirectory", 0, [this](auto &rt, Arguments) { return string(rt, scratch_.newDirectory()); });
        add("read", 1, [](auto &rt, Arguments given) { return string(rt, read(text(rt, given[0]))); });
        add("write", 2, [](auto &rt, Arguments given) { write(text(rt, given[0]), text(rt, given[1])); });
        add("overwrite", 3, [](auto &rt, Arguments given) {
            overwrite(text(rt, given[0]), text(rt, given[1]), text(rt, given[2]));
        });
        add("residentBytes", 0, [](auto &, Arguments) { return jsi::Value(residentBytes()); });
        add("names", 1, [](auto &rt, Arguments given) {
            std::string names;
            for (auto &entry : files::directory_iterator(text(rt, given[0]))) names += entry.path().filename().string() + "\n";
            return string(rt, names);
        });

        add("now", 0, [](auto &, Arguments) {
            return jsi::Value(std::chrono::duration<double, std::milli>(Loop::Clock::now().time_since_epoch()).count());
        });
        add("post", 1, [this](auto &rt, Arguments given) {
            life_.loop->invokeAsync([callback = function(rt, given[0])](auto &rt) { callback->call(rt); });
        });
        add("startTimer", 3, [this](auto &rt, Arguments given) {
            auto delay = std::chrono::milliseconds(std::max<int64_t>(given[1].asNumber(), 0));
            auto period = given[2].getBool() ? Loop::Period(std::max(delay, std::chrono::milliseconds(1))) : std::nullopt;
            auto call = [callback = function(rt, given[0])](auto &rt) { callback->call(rt); };
            return jsi::Value(life_.loop->startTimer(delay, period, call));
        });
        add("stopTimer", 1, [this](auto &, Arguments given) { life_.loop->stopTimer(given[0].asNumber()); });

        add("utf8Length", 1, [](auto &rt, Arguments given) { return jsi::Value(double(text(rt, given[0]).size())); });
        add("writeUtf8", 3, [](auto &rt, Arguments given) {
            auto bytes = text(rt, given[0]);
            auto buffer = given[1].asObject(rt).getArrayBuffer(rt);
            size_t offset = given[2].asNumber();
            if (offset + bytes.size() > buffer.size(rt)) throw std::length_error("the text is longer than the buffer");
            std::copy(bytes.begin(), bytes.end(), buffer.data(rt) + offset);
            return jsi::Value(double(bytes.size()));
        });
        runtime.global().setProperty(runtime, "host", object_);
    }

private:
    static std::string text(jsi::Runtime &runtime, const jsi::Value &value) { return value.asString(runtime).utf8(runtime); }
    static jsi::Value string(jsi::Runtime &runtime, const std::string &text) {
        return jsi::String::createFromUtf8(runtime, text);
    }

    static std::shared_ptr<jsi::Function> function(jsi::Runtime &runtime, const jsi::Value &value) {
        return std::make_shared<jsi::Function>(value.asObject(runtime).asFunction(runtime));
    }

    template <typename Call> void add(const char *name, unsigned count, Call call) {
        auto &runtime = *life_.runtime;
        auto function = [call, count](jsi::Runtime &rt, const jsi::Value &, Arguments given, size_t size) -> jsi::Value {
            if (size < count) throw jsi::JSError(rt, "an argument is missing");
            if constexpr (std::is_void_v<decltype(call(rt, given))>) {
                call(rt, given);
                return jsi::Value::undefined();
            } else {
                return call(rt, given);
            }
        };
        auto id = jsi::PropNameID::forAscii(runtime, name);
        object_.setProperty(runtime, id, jsi::Function::createFromHostFunction(runtime, id, count, function));
    }

    void leave(double code, std::optional<std::string> state) {
        life_.code = static_cast<int>(code);
        life_.state = std::move(state);
        life_.loop->stop();
    }

    Life &life_;
    Scratch &scratch_;
    jsi::Object object_;
};
} // namespace

int main(int count, char **arguments) {
    if (count < 2) {
        std::cerr << "usage: host BUNDLE [ARGUMENT...]\n";
        return 2;
    }
    Scratch scratch;
    auto script = std::make_shared<jsi::StringBuffer>(read(arguments[1]));
    std::vector<std::string> given(arguments + 2, arguments + count);
    for (std::optional<std::string> state;;) {
        Life life;
        try {
            Host host(life, scratch);
            host.install(state, given);
            life.runtime->evaluateJavaScript(script, arguments[1]);
            life.loop->run(*life.runtime);
        } catch (const jsi::JSError &error) {
            std::cerr << error.getMessage() << "\n" << error.getStack() << "\n";
            return 1;
        }
        if (!life.state) return life.code;
        state = life.state;
    }
}
