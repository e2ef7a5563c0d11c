mod decisions;
mod differential;
mod generate;
mod mutations;
