#include "sample/chat.h"

#include <algorithm>
#include <string_view>

namespace millwright::sample {
namespace {

constexpr std::string_view kStart = "<|im_start|>";
constexpr std::string_view kEnd = "<|im_end|>";
constexpr std::string_view kThoughtEnd = "</think>";

std::string_view RoleName(Message::Role role) {
  switch (role) {
    case Message::Role::kSystem:
      return "system";
    case Message::Role::kAssistant:
      return "assistant";
    case Message::Role::kUser:
      break;
  }
  return "user";
}

// What the assistant said, without what it thought before.
std::string_view Spoken(std::string_view text) {
  const size_t end = text.rfind(kThoughtEnd);
  if (end == std::string_view::npos) return text;
  text.remove_prefix(end + kThoughtEnd.size());
  text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
  return text;
}

Result<int32_t> SpecialToken(const text::Tokenizer& tokenizer, std::string_view name) {
  const std::vector<int32_t> ids = tokenizer.Encode(name);
  if (ids.size() == 1) return ids.front();
  return BadInput(
      "--chat: the {} tokenizer has no token {}, so it cannot hold a conversation of this format",
      tokenizer.kind(), name);
}

}  // namespace

std::string RenderChat(const std::vector<Message>& messages, bool think) {
  std::string text;
  for (const Message& message : messages) {
    const bool assistant = message.role == Message::Role::kAssistant;
    text += fmt::format("{}{}\n{}{}\n", kStart, RoleName(message.role),
                        assistant ? Spoken(message.text) : message.text, kEnd);
  }
  text += fmt::format("{}assistant\n", kStart);
  if (!think) text += "<think>\n\n</think>\n\n";
  return text;
}

Result<Chat> Chat::Create(Predictor& predictor, const text::Tokenizer& tokenizer,
                          const ChatOptions& chat, const GenerateOptions& options) {
  Chat created(predictor, tokenizer, chat, options);
  for (const std::string_view name : {kStart, kEnd}) {
    const auto token = SpecialToken(tokenizer, name);
    if (!token) return token.error();
    created.options_.stop_tokens.push_back(*token);
  }
  if (!chat.system.empty()) created.messages_.push_back({Message::Role::kSystem, chat.system});
  return created;
}

// The whole conversation is the context; the predictor knows what of it it has seen.
Result<Generated> Chat::Say(const std::string& text, const TextSink& write) {
  messages_.push_back({Message::Role::kUser, text});
  std::string answer;
  auto generated =
      Continue(predictor_, tokenizer_, tokenizer_.Encode(RenderChat(messages_, chat_.think)),
               options_, [&](std::string_view part) {
                 answer += part;
                 return write(part);
               });
  if (!generated) return generated;
  messages_.push_back({Message::Role::kAssistant, answer});
  options_.first_draw += static_cast<uint64_t>(options_.tokens);
  return generated;
}

}  // namespace millwright::sample
