# cmake -DFOLDER=... -DOUTPUT=... -P EmbedFiles.cmake: the text files of FOLDER as the C++ file that
# defines Assets() of app/dashboard/web/assets.h. A file must not contain )asset".
file(GLOB paths "${FOLDER}/*")
list(LENGTH paths count)
set(code "// Made by cmake/EmbedFiles.cmake.\n#include <array>\n\n#include \"app/dashboard/web/assets.h\"\n\n")
string(APPEND code "namespace millwright::app::web {\n\nstd::span<const Asset> Assets() {\n"
                   "  static constexpr std::array<Asset, ${count}> assets = {{\n")
foreach(path ${paths})
  get_filename_component(name "${path}" NAME)
  file(READ "${path}" text)
  string(APPEND code "{\"${name}\", R\"asset(${text})asset\"},\n")
endforeach()
string(APPEND code "}};\n  return assets;\n}\n\n}  // namespace millwright::app::web\n")
file(WRITE "${OUTPUT}" "${code}")
