# Installs BUILD_DIR into a fresh prefix, builds the consumer in SOURCE_DIR against it with COMPILER
# and the sanitizers FLAGS (the library's), and checks what it prints.
foreach(name BUILD_DIR SOURCE_DIR COMPILER)
  if(NOT ${name})
    message(FATAL_ERROR "run.cmake: expected -D${name}=...")
  endif()
endforeach()
set(work ${BUILD_DIR}/install_test)
file(REMOVE_RECURSE ${work})
set(sanitize "")
if(FLAGS)
  set(sanitize "-fsanitize=${FLAGS}")
endif()

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "'${ARGN}' gave ${code}:\n${text}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/prefix)
file(GLOB_RECURSE private RELATIVE ${work}/prefix ${work}/prefix/include/*/kernels/*
                                                  ${work}/prefix/include/*/detail/*)
if(private)
  message(FATAL_ERROR "installed, but private: ${private}")
endif()
run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${work}/build -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${sanitize}"
    -DCMAKE_PREFIX_PATH=${work}/prefix)
run(${CMAKE_COMMAND} --build ${work}/build)
run(${work}/build/consumer)
set(expected "sum 1.000000000000\nsigma 2.0000 2.0000\n")
if(NOT output STREQUAL expected)
  message(FATAL_ERROR "expected '${expected}', got '${output}'")
endif()
message(STATUS "consumer printed ${output}")
