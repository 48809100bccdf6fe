#include "app/restart.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace millwright::app {

Error Restart(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::fflush(nullptr);
  execvp(argv[0], argv.data());
  return Failed("cannot start {} again: {}; --resume goes on by hand", program,
                std::strerror(errno));
}

}  // namespace millwright::app
