#pragma once

#include <ReactCommon/CallInvoker.h>
#include <jsi/jsi.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>

/**
 * What a JavaScript thread of React Native does: runs, one after another, what other threads ask of it and what timers are
 * due. Where there is nothing to do it waits, without using the processor.
 */
class Loop final : public facebook::react::CallInvoker {
public:
    using Call = facebook::react::CallFunc;
    using Clock = std::chrono::steady_clock;
    using Period = std::optional<std::chrono::milliseconds>;

    void invokeAsync(Call &&call) noexcept override {
        std::lock_guard lock(mutex_);
        if (closed_) return; // a call holds values of an engine that is gone by now
        calls_.push_back(std::move(call));
        woken_.notify_one();
    }

    void invokeSync(Call &&) override { throw std::logic_error("nobody may wait for the JavaScript thread"); }

    int startTimer(std::chrono::milliseconds delay, Period period, Call call) {
        timers_.emplace(++lastTimer_, Timer{Clock::now() + delay, period, std::move(call)});
        return lastTimer_;
    }

    void stopTimer(int id) { timers_.erase(id); }

    /** To be called from within: `run` returns after this call. */
    void stop() { stopped_ = true; }

    void run(facebook::jsi::Runtime &runtime) {
        while (!stopped_) {
            if (auto call = next()) (*call)(runtime);
            runtime.drainMicrotasks();
        }
        timers_.clear();
        std::lock_guard lock(mutex_);
        closed_ = true;
        calls_.clear();
    }

private:
    struct Timer {
        Clock::time_point due;
        Period period;
        Call call;
    };

    /** Waits for something to do: a timer that is due, or else what was asked first. */
    std::optional<Call> next() {
        auto first = timers_.begin();
        for (auto timer = first; timer != timers_.end(); ++timer) {
            if (timer->second.due < first->second.due) first = timer;
        }
        std::unique_lock lock(mutex_);
        auto asked = [this] { return !calls_.empty(); };
        if (first == timers_.end()) woken_.wait(lock, asked);
        else woken_.wait_until(lock, first->second.due, asked);
        if (first != timers_.end() && first->second.due <= Clock::now()) return due(first);
        if (!asked()) return std::nullopt;
        Call call = std::move(calls_.front());
        calls_.pop_front();
        return call;
    }

    Call due(std::map<int, Timer>::iterator timer) {
        if (timer->second.period) {
            timer->second.due += *timer->second.period;
            return timer->second.call;
        }
        Call call = std::move(timer->second.call);
        timers_.erase(timer);
        return call;
    }

    std::mutex mutex_;
    std::condition_variable woken_;
    std::deque<Call> calls_;
    bool closed_ = false;
    std::map<int, Timer> timers_;
    int lastTimer_ = 0;
    bool stopped_ = false;
};
