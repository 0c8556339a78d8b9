# Warnings are errors in our own code, with every compiler that we build with.
add_compile_options(
  -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wundef -Wformat=2 -Wwrite-strings -Wcast-qual -Wno-missing-field-initializers
  -fno-strict-aliasing -fstack-protector-strong -fno-common)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-D_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,-z,relro,-z,now)
if(EMSA_SANITIZE)
  add_compile_options(-fsanitize=${EMSA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${EMSA_SANITIZE})
  add_compile_definitions(EMSA_SANITIZED=1)
endif()
