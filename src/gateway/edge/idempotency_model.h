// For tests: what clients of stream-bound routes know, and what therefore must hold.
//
//   - a key (of one tenant, route and caller) makes at most one event within the life of its answer
//   - the answer is repeated byte for byte, marked as a repetition, to the same payload; 422 to any
//     other; nothing else, unless the node may fail
//   - each answered event is in the log, once; no event was not asked for
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "http/message.h"

namespace weft::gateway {

// An event as the log has it at the end.
struct StoredEvent {
  std::string id;
  std::string body;
  WallTime time{};
};

// A request as its client knows it. `owner` is tenant, route, caller and key; empty without a key.
struct SentRequest {
  std::string owner;
  std::string body;
};

class IdempotencyModel {
 public:
  explicit IdempotencyModel(Duration keep) : keep_(keep) {}

  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t stillborn() const { return stillborn_; }

  void begin(const SentRequest& request) {
    sent_.emplace(request.body, request.owner);
    auto& story = stories_[request.owner];
    story.bodies.insert(request.body);
    ++story.under_way;
  }

  struct Ending {
    WallTime begun;  // when the request was sent
    WallTime now;
    bool may_fail = false;  // something happened to the node or the request that excuses a 503
  };
  void end(const SentRequest& request, const http::Response& response, const Ending& ending) {
    if (request.owner.empty()) {
      judge_free(request, response, ending.may_fail);
    } else {
      judge(request, stories_[request.owner], response, ending);
    }
    leave(request, ending.now);
  }
  // The client went away before it read the answer.
  void leave(const SentRequest& request, WallTime now) {
    auto& story = stories_[request.owner];
    --story.under_way;
    story.last_end = now;
  }

  // Whose answers must be repeated at `now`, with their payloads; and those who wait for one.
  std::vector<SentRequest> remembered(WallTime now) const {
    std::vector<SentRequest> out;
    for (const auto& [owner, story] : stories_) {
      if (is_alive(story, now)) out.push_back({owner, story.answers.back().request});
    }
    return out;
  }
  std::vector<SentRequest> open(WallTime now) const {
    std::vector<SentRequest> out;
    for (const auto& [owner, story] : stories_) {
      if (!owner.empty() && !is_alive(story, now)) out.push_back({owner, *story.bodies.begin()});
    }
    return out;
  }

  void compare(std::vector<StoredEvent> events) {
    std::map<std::string, std::vector<StoredEvent>> of_owner;
    std::map<std::string, int> of_body;
    std::map<std::string, std::string> owner_of_id;
    for (auto& event : events) {
      auto sent = sent_.find(event.body);
      if (sent == sent_.end()) return violate("an event that nobody asked for: " + event.body);
      ++of_body[event.body];
      auto owner = sent->second.empty() ? "free " + event.body : sent->second;
      if (owner_of_id.emplace(event.id, owner).first->second != owner) {
        violate("two keys share the event id " + event.id);
      }
      of_owner[sent->second].push_back(std::move(event));
    }
    for (auto& [owner, own] : of_owner) {
      if (!owner.empty()) expect_apart(owner, own);
    }
    for (const auto& [owner, story] : stories_) {
      for (const auto& answer : story.answers) expect_stored(owner, answer, of_owner[owner]);
    }
    for (const auto& [body, id] : free_answers_) {
      if (of_body[body] != 1) violate(fmt::format("{} events for {}", of_body[body], body));
    }
  }

  void violate(std::string what) { violations_.push_back(std::move(what)); }

 private:
  struct Answer {
    std::string request;
    std::string text;
    std::string event_id;
    WallTime at{};
    bool was_fresh = false;  // one client got it as the first answer
  };
  struct Story {
    std::set<std::string> bodies;
    std::vector<Answer> answers;  // the last one is in force
    int under_way = 0;
    WallTime last_end{};
  };

  bool is_alive(const Story& story, WallTime now) const {
    return !story.answers.empty() && now < story.answers.back().at + keep_;
  }

  static bool is_repetition(const http::Response& response) {
    return std::ranges::any_of(response.fields, [](const auto& field) {
      return field.first == "Idempotency-Replayed" && field.second == "true";
    });
  }

  static Answer parse(const SentRequest& request, const http::Response& response) {
    Answer answer{request.body, response.body, "", {}, false};
    auto document = JsonDocument::parse(response.body);
    if (!document) return answer;
    const auto* id = document->root().find("eventId");
    const auto* at = document->root().find("acceptedAt");
    if (id != nullptr) answer.event_id = id->as_string();
    if (at != nullptr) answer.at = parse_rfc3339(at->as_string()).value_or(WallTime());
    return answer;
  }

  void judge(const SentRequest& request, Story& story, const http::Response& response,
             const Ending& ending) {
    auto now = ending.now;
    switch (response.status) {
      case 201:
        return accept(request, story, response, ending);
      case 422:
        ++refused_;
        if (is_alive(story, now) && story.answers.back().request == request.body) {
          violate("422 for the payload that was accepted: " + request.owner);
        }
        if (story.bodies.size() < 2) violate("422 though one payload was sent: " + request.owner);
        return;
      case 409:
        if (story.under_way < 2 && story.last_end != now) {
          violate("409 though no other request runs: " + request.owner);
        }
        return;
      case 503:
        ++stillborn_;
        if (!ending.may_fail) violate("a failure without a cause: " + response.body);
        return;
      default:
        violate(fmt::format("status {}: {}", response.status, response.body));
    }
  }

  // An answer's life may end, and another one's begin, while it is read for a request that asked in
  // time.
  static bool was_in_force(const Story& story, const SentRequest& request,
                           const http::Response& response, WallTime begun) {
    for (std::size_t i = 0; i + 1 < story.answers.size(); ++i) {
      const auto& answer = story.answers[i];
      // Answers tell their time in whole milliseconds.
      auto replaced = story.answers[i + 1].at + std::chrono::milliseconds(1);
      if (answer.text == response.body && answer.request == request.body && begun < replaced) {
        return true;
      }
    }
    return false;
  }

  void accept(const SentRequest& request, Story& story, const http::Response& response,
              const Ending& ending) {
    auto now = ending.now;
    auto repeats = is_repetition(response);
    if (repeats) ++repeated_;
    if (repeats && was_in_force(story, request, response, ending.begun)) return;
    if (!is_alive(story, now)) {
      story.answers.push_back(parse(request, response));
      story.answers.back().was_fresh = !repeats;
      ++answered_;
      return;
    }
    auto& known = story.answers.back();
    if (known.request != request.body) {
      violate(fmt::format("another payload was accepted at {}: {} answered {}, then {} with {}",
                          to_rfc3339(now), request.owner, known.text, response.body, request.body));
    }
    if (known.text != response.body) {
      violate(fmt::format("{} was answered {}, then {}", request.owner, known.text, response.body));
    }
    if (!repeats && std::exchange(known.was_fresh, true)) {
      violate("answered afresh twice: " + request.owner);
    }
  }

  void judge_free(const SentRequest& request, const http::Response& response, bool may_fail) {
    if (response.status == 201 && !is_repetition(response)) {
      free_answers_[request.body] = parse(request, response).event_id;
      ++answered_;
    } else if (response.status != 503 || !may_fail) {
      violate(fmt::format("without a key: {} {}", response.status, response.body));
    }
  }

  void expect_apart(const std::string& owner, std::vector<StoredEvent>& events) {
    std::ranges::sort(events, {}, &StoredEvent::time);
    for (std::size_t i = 1; i < events.size(); ++i) {
      if (events[i].id != events[0].id) violate("two event ids for " + owner);
      // The log's times are whole milliseconds.
      if (events[i].time - events[i - 1].time + std::chrono::milliseconds(1) < keep_) {
        violate("two events for one key: " + owner);
      }
    }
  }

  void expect_stored(const std::string& owner, const Answer& answer,
                     const std::vector<StoredEvent>& events) {
    auto found = std::ranges::count_if(events, [&](const auto& event) {
      return event.id == answer.event_id && event.body == answer.request;
    });
    if (found == 0)
      violate(fmt::format("{} was answered but is not stored: {}", owner, answer.text));
  }

  Duration keep_;
  std::map<std::string, std::string> sent_;  // body to owner
  std::map<std::string, Story> stories_;     // by owner
  std::map<std::string, std::string> free_answers_;
  std::vector<std::string> violations_;
  std::uint64_t answered_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t stillborn_ = 0;
};

}  // namespace weft::gateway
