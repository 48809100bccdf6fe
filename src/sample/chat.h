// A conversation in Qwen3's format.
#pragma once

#include <string>
#include <vector>

#include "sample/generator.h"

namespace millwright::sample {

struct Message {
  enum class Role : uint8_t { kSystem, kUser, kAssistant };
  Role role = Role::kUser;
  std::string text;
};

// The conversation as text, up to where the assistant's next words begin: each message stands
// between <|im_start|>role and <|im_end|>. What the assistant thought in an earlier turn, all
// before its last </think>, is left out. Without `think` its turn begins with an empty thought.
// Source: the chat template of Qwen3's tokenizer_config.json, without tools.
std::string RenderChat(const std::vector<Message>& messages, bool think);

struct ChatOptions {
  std::string system;  // empty: no system message
  bool think = true;
};

class Chat {
 public:
  // Bad input: a tokenizer without <|im_start|> and <|im_end|> as tokens of their own. `predictor`
  // and `tokenizer` must outlive the result.
  static Result<Chat> Create(Predictor& predictor, const text::Tokenizer& tokenizer,
                             const ChatOptions& chat, const GenerateOptions& options);

  // Writes the assistant's answer to `text`, which ends with <|im_end|> or as Continue says.
  // `options.tokens` bounds each answer.
  Result<Generated> Say(const std::string& text, const TextSink& write);

 private:
  Chat(Predictor& predictor, const text::Tokenizer& tokenizer, const ChatOptions& chat,
       const GenerateOptions& options)
      : predictor_(predictor), tokenizer_(tokenizer), chat_(chat), options_(options) {}

  Predictor& predictor_;
  const text::Tokenizer& tokenizer_;
  ChatOptions chat_;
  GenerateOptions options_;
  std::vector<Message> messages_;
};

}  // namespace millwright::sample
