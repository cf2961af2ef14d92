#include "twice.h"
#include <stdio.h>

int main(void) {
  twice *model = NULL;
  sluice_error error;
  sluice_tensor y = {NULL, SLUICE_F32, 0, {0}, NULL};
  if (twice_load(NULL, &model, &error) || twice_main(model, &y, &error))
    return fprintf(stderr, "%s\n", error.message), 1;
  const float *data = y.data;
  printf("%g %g %g\n", data[0], data[1], data[2]);
  twice_free_tensor(&y);
  twice_free(model);
  return 0;
}
