#include <json-c/json.h>
#include <json-c/printbuf.h>
