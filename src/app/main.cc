// The one file that knows which model this binary was built for.
#include MILLWRIGHT_MODEL_HEADER

#include "app/command_line.h"

int main(int argc, char** argv) {
  return millwright::app::RunCommandLine(argc, argv, millwright::models::kModel);
}
