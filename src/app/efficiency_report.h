// What a run cost, as it is printed at its end.
#pragma once

#include "runtime/session.h"
#include "train/options.h"
#include "train/trainer.h"

namespace millwright::app {

// Megaflops of the products with the layers' matrices in a micro-step's forward step.
double ForwardMegaflops(const train::TrainOptions& options);

// The lines of both of the reference's pipelines, then launches and copies of a micro-step, and
// what compiling once saves against compiling anew after every update. Rates count the products of
// the layers' matrices, those of the host's gradients under Total only; where the device is no ANE
// it has done nothing.
void PrintReport(const train::TrainOptions& options, const train::RunTotals& totals,
                 const runtime::Session<float>& session, int64_t steps);

// What --count-products found, a line a kernel, on stderr.
void PrintProducts(const runtime::Session<float>& session);

}  // namespace millwright::app
