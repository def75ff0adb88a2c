// Loops that must vectorise, in portable C. See Sources/CKernels/*.c.
#ifndef MARTLET_CKERNELS_H
#define MARTLET_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "ck_convert.h"
#include "ck_elementwise.h"
#include "ck_gradient.h"
#include "ck_image.h"
#include "ck_linear.h"
#include "ck_processor.h"
#include "ck_rows.h"
#include "ck_weights.h"
#include "ck_winograd.h"

#endif
