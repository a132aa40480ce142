-- Reading Artifact itself.

-- What was not read, or not understood, of a reading that did not fail; the first 100, and how many more.
alter table artifact_reading add column problems text[] not null default '{}';

create index job_artifact_idx on job (created_at) where kind = 'artifact';
