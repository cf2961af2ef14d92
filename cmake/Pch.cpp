// Carries the precompiled header of every target; see AddSluice.cmake.
