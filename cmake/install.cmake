# cmake --install build/release --prefix PREFIX: the program, the hub's files, the examples, documentation, and what the
# program writes about itself (manual page, completion for three shells), in the folders of the GNU standards. The
# program finds its files from its own place (app/node/install_paths.h), so a prefix can be moved.
include(GNUInstallDirs)

set(description ${CMAKE_BINARY_DIR}/description)
set(written "")
foreach(made "man=weft.1" "completion bash=weft.bash" "completion zsh=_weft" "completion fish=weft.fish")
  string(REGEX MATCH "^(.*)=(.*)$" _ "${made}")
  set(file ${description}/${CMAKE_MATCH_2})
  string(REPLACE " " ";" words "${CMAKE_MATCH_1}")
  add_custom_command(OUTPUT ${file} COMMAND ${CMAKE_COMMAND} -E make_directory ${description}
                     COMMAND weft ${words} > ${file} DEPENDS weft VERBATIM)
  list(APPEND written ${file})
endforeach()
add_custom_target(weft_description ALL DEPENDS ${written})

install(CODE "if(NOT EXISTS \"${CMAKE_SOURCE_DIR}/web/dist/index.html\")
  message(FATAL_ERROR \"the hub is not built: run ./dev build\")
endif()")
install(TARGETS weft RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY web/dist/ DESTINATION ${CMAKE_INSTALL_DATADIR}/weft/hub)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/weft/examples PATTERN __pycache__ EXCLUDE)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${description}/weft.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${description}/weft.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME weft)
install(FILES ${description}/_weft DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${description}/weft.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
