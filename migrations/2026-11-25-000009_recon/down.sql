DROP TABLE recon_results;
DROP TABLE recon_runs;
