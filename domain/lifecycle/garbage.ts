/** What became of the request to collect a site's garbage, see the registry's adapter. */
export interface SiteGarbage {
  readonly site: string;
  readonly outcome: 'asked' | 'running' | 'refused' | 'unsupported';
}

const words: Readonly<Record<SiteGarbage['outcome'], string>> = {
  asked: 'collects its garbage now / 已开始垃圾回收',
  running: 'collects its garbage already / 正在垃圾回收',
  refused:
    'did not let us start its garbage collection: start it there / 拒绝启动垃圾回收，请在仓库侧手动执行',
  unsupported:
    'has no API for it: its operator has to run the garbage collection / 无回收接口，请由运维执行仓库垃圾回收',
};

/** What is left to do, in words for people; empty where there is nothing to say. */
export function describeGarbage(sites: readonly SiteGarbage[]): string {
  return sites.map(({ site, outcome }) => `the registry of ${site} ${words[outcome]}`).join('; ');
}
