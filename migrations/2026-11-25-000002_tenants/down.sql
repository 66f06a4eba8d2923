DROP TABLE suppressions;
DROP TABLE retry_policies;
DROP TABLE psp_connections;
DROP TABLE api_keys;
DROP TABLE users;
DROP TABLE organizations;
